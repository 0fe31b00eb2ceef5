namespace HttpResilience;

/// <summary>Whether a failed attempt is repeated: after what wait, or why not.</summary>
internal readonly record struct RetryDecision
{
    /// <summary><see cref="StopReason.None"/> when the attempt is repeated.</summary>
    internal StopReason StopReason { get; private init; }

    internal TimeSpan Delay { get; private init; }

    internal bool IsRetry => StopReason is StopReason.None;

    /// <summary>Decides.</summary>
    /// <param name="policy">The policy of the call.</param>
    /// <param name="result">What the attempt ended with.</param>
    /// <param name="request">What may be repeated.</param>
    /// <param name="attempt">The number of the attempt that failed; the first is 1.</param>
    /// <param name="remaining">Until the deadline of the call.</param>
    /// <param name="random">In [0, 1).</param>
    /// <param name="previousRandom">What <paramref name="random"/> was for the retry before.</param>
    internal static RetryDecision Decide(
        RetryPolicy policy, in AttemptResult result, RetryableRequest request, int attempt, TimeSpan remaining, double random, double previousRandom)
    {
        policy.Statuses.TryGetValue(result.StatusCode ?? 0, out var status);

        if (result.FailureClass is FailureClass.Cancelled)
            return Stop(StopReason.Cancelled);
        if (!(result.ServerSaysRetry ?? (result.IsRetryable || status?.MaxRetryAttempts > 0)))
            return Stop(StopReason.NotRetryable);
        if (remaining <= TimeSpan.Zero)
            return Stop(StopReason.DeadlinePassed);
        if (result.IsAmbiguous && !MayBeRepeated(policy, request))
            return Stop(StopReason.UnsafeMethod);
        if (attempt > (request.MaxRetryAttempts ?? status?.MaxRetryAttempts ?? policy.MaxRetryAttempts))
            return Stop(StopReason.AttemptsExhausted);
        // What never left this machine has not been read.
        if (!request.BodyIsReplayable && (result.IsAmbiguous || result.StatusCode is not null))
            return Stop(StopReason.BodyNotReplayable);

        var backoff = status?.Backoff ?? policy.Backoff;
        if (policy.ShouldRetryAfterHeader && result.RetryAfter is { } asked && asked > TimeSpan.Zero)
            return After(policy, backoff, asked, remaining, random);

        TimeSpan delay = Backoff.Delay(backoff, attempt, random, previousRandom);
        return delay < remaining ? Retry(delay) : Stop(StopReason.DeadlineWouldPass);
    }

    private static RetryDecision After(RetryPolicy policy, BackoffPolicy backoff, TimeSpan asked, TimeSpan remaining, double random)
    {
        if (asked > policy.MaxRetryAfter)
            return Stop(StopReason.RetryAfterTooLong);
        if (asked >= remaining)
            return Stop(StopReason.DeadlineWouldPass);

        // Jitter is a courtesy to the server; it is not what makes a call miss its deadline, nor wait longer than is allowed.
        TimeSpan spread = asked + Backoff.Spread(backoff, asked, random);
        return Retry(spread < remaining && spread <= policy.MaxRetryAfter ? spread : asked);
    }

    private static bool MayBeRepeated(RetryPolicy policy, RetryableRequest request) => request.IsIdempotent || policy.UnsafeMethods switch
    {
        UnsafeMethods.Always => true,
        UnsafeMethods.Never => false,
        _ => request.IsKeyed,
    };

    private static RetryDecision Retry(TimeSpan delay) => new() { Delay = delay };

    internal static RetryDecision Stop(StopReason reason) => new() { StopReason = reason };
}

/// <summary>What of a request bears on whether it may be repeated.</summary>
/// <param name="IsIdempotent">Its method is safe or idempotent (RFC 9110 §9.2).</param>
/// <param name="IsKeyed">It carries an idempotency key.</param>
/// <param name="BodyIsReplayable">Its body can be sent a second time.</param>
/// <param name="MaxRetryAttempts">What the caller said for this one call; null when nothing.</param>
internal readonly record struct RetryableRequest(bool IsIdempotent, bool IsKeyed, bool BodyIsReplayable, int? MaxRetryAttempts)
{
    internal static bool IsIdempotentMethod(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Put || method == HttpMethod.Delete || method == HttpMethod.Head
        || method == HttpMethod.Options || method == HttpMethod.Trace;
}
