namespace HttpResilience;

/// <summary>Describes the failure of a record.</summary>
internal static class BatchFailures
{
    /// <summary>
    /// The number of consecutive rejections, or of tenants with refused credentials, after which the cause is taken to affect all records.
    /// </summary>
    private const int InARow = 5;

    internal static BatchFailure Describe(long index, Exception exception, RecordAttempt attempt, bool isRejected, DateTimeOffset now)
    {
        // A failed call that the record has handled is not the cause.
        var call = exception.GetHttpCall() ?? (attempt.Calls.Last is { FailureClass: not FailureClass.None } last ? last : null);
        var tags = (call?.Tags ?? attempt.Scope?.CurrentTags)?.Where(t => t.Value is not null)
            .ToDictionary(t => t.Key, t => TextOf(t.Value!));
        return new()
        {
            Index = index,
            FailureClass = call?.FailureClass ?? (IsTimeout(exception) ? FailureClass.Transient : FailureClass.Permanent),
            Error = call?.Error ?? (call ?? attempt.Calls.Last)?.Scrub(exception) ?? Redaction.Clean(exception),
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

    /// <summary>Whether the failure would be the same for all other records.</summary>
    /// <param name="inARow">The number of consecutive records with this kind of failure, including this one.</param>
    internal static bool IsForAll(BatchFailure failure, int inARow) => KindOf(failure) switch
    {
        Kind.Refused => failure.Tenant is null || inARow >= InARow,
        Kind.Rejected => inARow >= InARow,
        Kind.Paused => true,
        _ => false,
    };

    /// <summary>The kind of a failure that may be the same for all records.</summary>
    internal static Kind KindOf(BatchFailure failure) =>
        failure.IsPaused ? Kind.Paused
        : failure.IsRejected ? Kind.Rejected
        : failure.FailureClass is FailureClass.Authentication ? Kind.Refused : Kind.Own;

    internal enum Kind
    {
        /// <summary>The failure concerns this record only.</summary>
        Own,

        /// <summary>The credentials were refused.</summary>
        Refused,

        /// <summary>The call was rejected before it was sent.</summary>
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
            // ToString of the application's type has failed; the record is still reported.
            return tag.GetType().Name;
        }
    }

    private static bool IsTimeout(Exception exception) =>
        exception is TimeoutException or OperationCanceledException { InnerException: TimeoutException };
}
