namespace HttpResilience;

/// <summary>What an exception that ended a record means.</summary>
internal static class BatchFailures
{
    /// <summary>How many records with tenants of their own must be refused one after the other before it is taken for the same with all.</summary>
    internal const int RefusalsInARow = 5;

    internal static BatchFailure Describe(long index, Exception exception, CallCollector calls, HttpCallScopeOptions? scope, bool isRejection, DateTimeOffset now)
    {
        var call = exception.GetHttpCall() ?? calls.LastFailed;
        var tags = (call?.Tags ?? scope?.Tags.AsReadOnly())?.Where(t => t.Value is not null).ToDictionary(t => t.Key, t => Redaction.Clean(DeadLetterRequest.TextOf(t.Value)));
        return new()
        {
            Index = index,
            FailureClass = call?.FailureClass ?? (IsTimeout(exception) ? FailureClass.Transient : FailureClass.Permanent),
            Error = call?.Error ?? Redaction.Clean(exception.Message),
            ErrorType = exception.GetType().Name,
            StatusCode = (int?)call?.LastAttempt?.StatusCode,
            Attempts = call?.AttemptCount ?? 0,
            IdempotencyKey = call?.IdempotencyKey ?? scope?.IdempotencyKey,
            Tenant = call?.Tenant ?? scope?.Tenant,
            Tags = tags ?? [],
            DeadLetterId = call?.DeadLetterId,
            FailedAt = now,
            IsRejection = isRejection,
            Exception = exception,
        };
    }

    /// <summary>The record's call was turned away, nothing it has sent is done twice when it is made again, and the reason has nothing to do with the record.</summary>
    /// <param name="retryAfter">When it may be tried again; null when that was not said.</param>
    internal static bool IsRejection(Exception exception, out TimeSpan? retryAfter)
    {
        retryAfter = null;
        if (exception.GetHttpCall() is { MayHaveBeenProcessed: true, HasLastingKey: false })
            return false;
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case CircuitOpenException { Tenant: null } open:
                    retryAfter = open.RetryAfter;
                    return true;
                case RateLimitedException limited:
                    retryAfter = limited.RetryAfter;
                    return true;
            }
        }

        return false;
    }

    /// <summary>The failure would be the same for all other records.</summary>
    /// <param name="refusedInARow">How many records have had their credentials refused one after the other, this one included.</param>
    internal static bool IsForAll(BatchFailure failure, int refusedInARow) => failure.IsRejection
        || (failure.FailureClass is FailureClass.Authentication && (failure.Tenant is null || refusedInARow >= RefusalsInARow));

    private static bool IsTimeout(Exception exception) => exception is TimeoutException or OperationCanceledException { InnerException: TimeoutException };
}
