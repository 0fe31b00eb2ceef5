namespace HttpResilience;

/// <summary>Whether a call is hedged, whether a response ends the race, and whether another request is sent.</summary>
internal static class HedgingDecision
{
    /// <summary>Whether a call may be sent more than once at the same time.</summary>
    /// <param name="idempotent">The effect of several requests is that of one.</param>
    /// <param name="keyed">It carries an idempotency key.</param>
    /// <param name="maxRetryAttempts">The caller's limit for this call; 0 means that the request is sent once.</param>
    internal static bool AppliesTo(bool idempotent, bool keyed, UnsafeMethods unsafeMethods, int? maxRetryAttempts) =>
        maxRetryAttempts != 0 && (idempotent || (keyed && unsafeMethods is not UnsafeMethods.Never));

    /// <summary>Whether the result counts while other requests are still in flight.</summary>
    /// <param name="safe">The method changes nothing.</param>
    internal static bool Wins(in AttemptResult result, bool safe) =>
        // A write that was overtaken by its copy gets 404 (already deleted) or 409 (in progress): the response to the copy counts.
        result.IsSuccess || (safe && result.StatusCode is not null && !IsWorthRepeating(result));

    /// <summary>
    /// Whether another request may be sent after this result: not after a Retry-After or a rejection.
    /// </summary>
    internal static bool MayFollow(in AttemptResult result) =>
        IsWorthRepeating(result) && result.FailureClass is not FailureClass.RateLimited && !(result.RetryAfter > TimeSpan.Zero);

    private static bool IsWorthRepeating(in AttemptResult result) => result.SaidRetry ?? result.IsRetryable;
}
