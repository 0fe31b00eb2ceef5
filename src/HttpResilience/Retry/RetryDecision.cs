namespace HttpResilience;

/// <summary>Whether a failed attempt is retried, after which delay, or why not.</summary>
internal readonly record struct RetryDecision
{
    /// <summary><see cref="StopReason.None"/> for a retry.</summary>
    internal StopReason StopReason { get; private init; }

    internal TimeSpan Delay { get; private init; }

    internal bool IsRetry => StopReason is StopReason.None;

    /// <summary>Before the retry, <see cref="IReconciler"/> must find that the request was not processed.</summary>
    internal bool ReconcilesFirst { get; private init; }

    /// <summary>Before the retry, <see cref="IConflictResolver"/> must update the request.</summary>
    internal bool ResolvesFirst { get; private init; }

    /// <summary>Decides about a retry.</summary>
    /// <param name="policy">The policy of the call.</param>
    /// <param name="result">The result of the attempt.</param>
    /// <param name="request">The properties of the request that matter for a retry.</param>
    /// <param name="attempt">The number of the attempt that failed; the first is 1.</param>
    /// <param name="remaining">The time until the deadline of the call.</param>
    /// <param name="random">In [0, 1).</param>
    /// <param name="previousRandom">The value of <paramref name="random"/> for the previous retry.</param>
    internal static RetryDecision Decide(
        RetryPolicy policy, in AttemptResult result, RetryableRequest request, int attempt, TimeSpan remaining, double random,
        double previousRandom)
    {
        policy.Statuses.TryGetValue(result.StatusCode ?? 0, out var status);

        if (result.FailureClass is FailureClass.Cancelled)
            return Stop(StopReason.Cancelled);
        bool resolves = request.CanBeResolved && result.FailureClass is FailureClass.Conflict && !(result.SaidRetry ?? result.IsRetryable);
        if (!resolves && !(result.SaidRetry ?? (result.IsRetryable || status?.MaxRetryAttempts > 0)))
            return Stop(StopReason.NotRetryable);
        if (remaining <= TimeSpan.Zero)
            return Stop(StopReason.DeadlinePassed);
        bool looks = (result.IsAmbiguous || request.MayHaveBeenProcessed) && request.CanBeFound && !MayBeRepeated(policy, request);
        if (result.IsAmbiguous && !looks && !MayBeRepeated(policy, request))
            return Stop(StopReason.UnsafeMethod);
        if (attempt > (request.MaxRetryAttempts ?? status?.MaxRetryAttempts ?? policy.MaxRetryAttempts))
            return Stop(StopReason.AttemptsExhausted);
        if (!request.BodyIsReplayable)
            return Stop(StopReason.BodyNotReplayable);
        // No delay: the state that the resolver fetches is soon outdated.
        if (resolves)
            return new() { ResolvesFirst = true, ReconcilesFirst = looks };

        // Once any attempt may have been processed, only the key keeps the next one from being processed a second time.
        bool keyExpires = !looks && request.KeyExpiresIn < remaining
            && (result.IsAmbiguous || request.MayHaveBeenProcessed) && !MayBeRepeated(policy, request with { IsKeyed = false });
        var (limit, tooLate) = keyExpires ? (request.KeyExpiresIn, StopReason.KeyExpired) : (remaining, StopReason.DeadlineWouldPass);

        var backoff = status?.Backoff ?? policy.Backoff;
        if (policy.ShouldRetryAfterHeader && result.RetryAfter is { } asked && asked > TimeSpan.Zero && !(result.Delay > asked))
            return After(policy, backoff, asked, limit, tooLate, random) with { ReconcilesFirst = looks };

        TimeSpan delay = request.GoesElsewhere ? TimeSpan.Zero
            : result.Delay ?? Backoff.Delay(backoff, attempt, random, previousRandom);
        return (delay < limit ? Retry(delay) : Stop(tooLate)) with { ReconcilesFirst = looks };
    }

    private static RetryDecision After(
        RetryPolicy policy, BackoffPolicy backoff, TimeSpan asked, TimeSpan limit, StopReason tooLate, double random)
    {
        if (asked > policy.MaxRetryAfter)
            return Stop(StopReason.RetryAfterTooLong);
        if (asked >= limit)
            return Stop(tooLate);

        // Jitter must not make the call miss its deadline, nor wait longer than MaxRetryAfter.
        TimeSpan spread = asked + Backoff.Spread(backoff, asked, random);
        return Retry(spread < limit && spread <= policy.MaxRetryAfter ? spread : asked);
    }

    /// <summary>Whether a request that may have been processed is sent again.</summary>
    internal static bool MayBeRepeated(RetryPolicy policy, bool idempotent, bool keyed) => idempotent || policy.UnsafeMethods switch
    {
        UnsafeMethods.Always => true,
        UnsafeMethods.Never => false,
        _ => keyed,
    };

    private static bool MayBeRepeated(RetryPolicy policy, RetryableRequest request) =>
        MayBeRepeated(policy, request.IsIdempotent, request.IsKeyed);

    internal RetryDecision Later(TimeSpan by) => this with { Delay = Delay + by };

    private static RetryDecision Retry(TimeSpan delay) => new() { Delay = delay };

    internal static RetryDecision Stop(StopReason reason) => new() { StopReason = reason };
}

/// <summary>The properties of a request that decide whether it may be retried.</summary>
/// <param name="IsIdempotent">Its method is safe or idempotent (RFC 9110 §9.2).</param>
/// <param name="IsKeyed">It carries an idempotency key.</param>
/// <param name="BodyIsReplayable">Its body can be sent once more: it is not lost by having been sent.</param>
/// <param name="MaxRetryAttempts">The caller's limit for this call; null when not set.</param>
internal readonly record struct RetryableRequest(bool IsIdempotent, bool IsKeyed, bool BodyIsReplayable, int? MaxRetryAttempts)
{
    /// <summary>An attempt of the call, this or an earlier one, may have been processed.</summary>
    internal bool MayHaveBeenProcessed { get; init; }

    /// <summary>The application can find out whether it has been processed.</summary>
    internal bool CanBeFound { get; init; }

    /// <summary>The application can update it after a conflict.</summary>
    internal bool CanBeResolved { get; init; }

    /// <summary>The retry goes to an endpoint that the call has not tried, which need not be spared.</summary>
    internal bool GoesElsewhere { get; init; }

    /// <summary>The time from the failure until the key may have expired at the API.</summary>
    internal TimeSpan KeyExpiresIn { get; init; } = TimeSpan.MaxValue;
}
