namespace HttpResilience;

/// <summary>What an exception that ended a record means.</summary>
internal static class BatchFailures
{
    /// <summary>How many records must be turned away one after the other, or tenants have their credentials refused, before it is taken for the same with all.</summary>
    private const int InARow = 5;

    internal static BatchFailure Describe(long index, Exception exception, RecordAttempt attempt, bool isRejected, DateTimeOffset now)
    {
        // One that the record has dealt with is not what it failed of.
        var call = exception.GetHttpCall() ?? (attempt.Calls.Last is { FailureClass: not FailureClass.None } last ? last : null);
        var tags = (call?.Tags ?? attempt.Scope?.Tags.AsReadOnly())?.Where(t => t.Value is not null).ToDictionary(t => t.Key, t => TextOf(t.Value!));
        return new()
        {
            Index = index,
            FailureClass = call?.FailureClass ?? (IsTimeout(exception) ? FailureClass.Transient : FailureClass.Permanent),
            Error = call?.Error ?? Redaction.Clean(exception.Message),
            ErrorType = exception.GetType().Name,
            StatusCode = (int?)call?.LastAttempt?.StatusCode,
            Attempts = call?.AttemptCount ?? 0,
            IdempotencyKey = call?.IdempotencyKey ?? attempt.Scope?.IdempotencyKey,
            Tenant = call?.Tenant ?? attempt.Scope?.Tenant,
            Tags = tags ?? [],
            DeadLetterId = call?.DeadLetterId,
            FailedAt = now,
            IsRejected = isRejected,
            IsPaused = BatchRejection.IsPause(exception),
            Exception = exception,
        };
    }

    /// <summary>The failure would be the same for all other records.</summary>
    /// <param name="inARow">How many records have ended one after the other with this kind of failure, this one included.</param>
    internal static bool IsForAll(BatchFailure failure, int inARow) => KindOf(failure) switch
    {
        Kind.Refused => failure.Tenant is null || inARow >= InARow,
        Kind.Rejected => inARow >= InARow,
        Kind.Paused => true,
        _ => false,
    };

    /// <summary>What of a failure may be the same for all.</summary>
    internal static Kind KindOf(BatchFailure failure) =>
        failure.IsPaused ? Kind.Paused : failure.IsRejected ? Kind.Rejected : failure.FailureClass is FailureClass.Authentication ? Kind.Refused : Kind.Own;

    internal enum Kind
    {
        /// <summary>The record's own.</summary>
        Own,

        /// <summary>Its credentials were refused.</summary>
        Refused,

        /// <summary>It was turned away.</summary>
        Rejected,

        /// <summary>The integration is paused.</summary>
        Paused,
    }

    private static string TextOf(object tag)
    {
        try
        {
            return Redaction.Clean(DeadLetterRequest.TextOf(tag));
        }
        catch (Exception)
        {
            // The application's own, and no reason to lose the record.
            return tag.GetType().Name;
        }
    }

    private static bool IsTimeout(Exception exception) => exception is TimeoutException or OperationCanceledException { InnerException: TimeoutException };
}
