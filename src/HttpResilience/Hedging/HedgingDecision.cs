namespace HttpResilience;

/// <summary>What may be hedged, when an answer ends the race, and whether another request may join it.</summary>
internal static class HedgingDecision
{
    /// <summary>Whether a call may be on its way more than once at the same time.</summary>
    /// <param name="keyed">It carries an idempotency key.</param>
    /// <param name="maxRetryAttempts">What the caller said for this one call; with 0 it wants the request sent once.</param>
    internal static bool AppliesTo(HttpMethod method, bool keyed, UnsafeMethods unsafeMethods, int? maxRetryAttempts) =>
        maxRetryAttempts != 0 && (method.IsIdempotent || (keyed && unsafeMethods is not UnsafeMethods.Never));

    /// <summary>Whether the result counts although other requests are still on their way.</summary>
    /// <param name="safe">The method changes nothing.</param>
    internal static bool Wins(in AttemptResult result, bool safe) =>
        // A write that overtook another one is told 404 (already deleted) or 409 (being worked on): the other's answer is the one to wait for.
        result.IsSuccess || (safe && result.StatusCode is not null && !IsWorthRepeating(result));

    /// <summary>Whether another request may go out after this result. Not after what waiting would have to come first, nor after a rejection.</summary>
    internal static bool MayFollow(in AttemptResult result) =>
        IsWorthRepeating(result) && result.FailureClass is not FailureClass.RateLimited && !(result.RetryAfter > TimeSpan.Zero);

    internal static bool IsSafeMethod(HttpMethod method) =>
        method.IsSafe;

    private static bool IsWorthRepeating(in AttemptResult result) => result.SaidRetry ?? result.IsRetryable;
}
