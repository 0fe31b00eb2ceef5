namespace HttpResilience;

/// <summary>
/// Limits the load that retries add to a failing host: retries ≤ ratio × calls + a few, over a sliding time (Google SRE, Handling
/// Overload; Finagle's retry budgets).
/// </summary>
/// <param name="callsBefore">
/// The calls of the sampling duration before the budget was made, at the first retry: that of a busy host is not one of a few calls.
/// </param>
/// <param name="madeAt">When it was made.</param>
internal sealed class RetryBudget(double callsBefore = 0, long madeAt = 0)
{
    // The window counts sends as attempts, and retries as failures.
    private FailureWindow _window;
    private long _nextSlot;
    private long _firstTurn;
    private long _nextTurn;
    private int _overdrawn;

    internal void CountCall(RetryBudgetPolicy policy, long now) => _window.Add(failed: false, now, policy.BucketLength);

    /// <summary>Takes a retry from the budget.</summary>
    /// <returns>False when the budget is exhausted, and does not only observe.</returns>
    internal bool TrySpend(RetryBudgetPolicy policy, long now)
    {
        var (allowed, retries) = Sum(policy, now);
        if (retries >= allowed || Volatile.Read(ref _nextTurn) > now)
        {
            // Not counted as a retry: what the budget would have stopped leaves it as it is.
            if (policy.OnlyObserves)
                Interlocked.Increment(ref _overdrawn);
            return policy.OnlyObserves;
        }

        _window.Add(failed: true, now, policy.BucketLength);
        return true;
    }

    /// <summary>
    /// When a retry that <see cref="TrySpend"/> refused may be sent: the first one as soon as those before it that are too many are older
    /// than the sampling duration, each further one a turn later. As long as retries wait for their turn, none goes before them.
    /// </summary>
    /// <param name="due">When it would be sent.</param>
    /// <param name="latest">When it must be sent.</param>
    /// <param name="maxWaiting">How many may wait at once.</param>
    /// <returns>Null when that is too late, or too many wait.</returns>
    internal long? Reserve(RetryBudgetPolicy policy, long due, long latest, int maxWaiting, long now)
    {
        var (allowed, retries) = Sum(policy, now);
        if (allowed <= 0 || policy.MaxWait == 0)
            return null;
        while (true)
        {
            long next = Volatile.Read(ref _nextTurn);
            if ((next > now ? next : _window.FailuresEndAt((long)Math.Floor(retries - allowed) + 1, now, policy.BucketLength))
                is not { } turn)
                return null;
            long interval = (long)(policy.SamplingLength / allowed), at = Math.Max(due, turn);
            bool isFirst = next <= now;
            if (at >= latest || at - due > policy.MaxWait
                || (isFirst ? 0 : (turn - Math.Max(now, Volatile.Read(ref _firstTurn))) / Math.Max(1, interval)) >= maxWaiting)
                return null;
            if (Interlocked.CompareExchange(ref _nextTurn, turn + interval, next) != next)
                continue;
            if (isFirst)
                Volatile.Write(ref _firstTurn, turn);
            _window.Add(failed: true, now, policy.BucketLength);
            return at;
        }
    }

    /// <summary>Takes the number of retries that a budget that only observes would have stopped since the last time.</summary>
    internal int TakeOverdrawn() => Volatile.Read(ref _overdrawn) == 0 ? 0 : Interlocked.Exchange(ref _overdrawn, 0);

    /// <summary>
    /// When a retry is sent whose attempt timed out: the retries that the budget allows are spread over the sampling duration. The attempts
    /// to a host that did not answer for a while time out one after another, and it would get all their retries when it is back.
    /// </summary>
    /// <param name="due">When it would be sent.</param>
    /// <param name="latest">When it must be sent.</param>
    internal long Spread(RetryBudgetPolicy policy, long due, long latest, long now)
    {
        long interval = (long)(policy.SamplingLength / Math.Max(1, Sum(policy, now).Allowed));
        while (true)
        {
            long next = Volatile.Read(ref _nextSlot);
            long slot = Math.Max(due, next);
            if (slot >= latest)
                return due;
            if (Interlocked.CompareExchange(ref _nextSlot, slot + interval, next) == next)
                return slot;
        }
    }

    private (double Allowed, long Retries) Sum(RetryBudgetPolicy policy, long now)
    {
        var (sendings, retries) = _window.Sum(now, policy.BucketLength);
        double before = callsBefore * Math.Max(0, 1 - (double)(now - madeAt) / policy.SamplingLength);
        return (policy.RetryRatio * (sendings - retries + before) + policy.MinimumThroughput, retries);
    }
}

/// <summary>An immutable snapshot of <see cref="RetryBudgetOptions"/>.</summary>
/// <param name="BucketLength">A tenth of the sampling duration, in timestamp ticks.</param>
internal sealed record RetryBudgetPolicy(double RetryRatio, int MinimumThroughput, long BucketLength)
{
    /// <summary>How long a retry may wait for the budget, in timestamp ticks; 0 for not at all.</summary>
    internal long MaxWait { get; init; }

    /// <summary>The budget stops no retry.</summary>
    internal bool OnlyObserves { get; init; }

    internal long SamplingLength => BucketLength * FailureWindow.Buckets;

    /// <param name="frequency">Timestamp ticks per second.</param>
    internal static RetryBudgetPolicy? From(RetryBudgetOptions options, long frequency) => options.RetryRatio is not { } ratio ? null
        : new(ratio, options.MinimumThroughput, Math.Max(1, Ticks.Of(options.SamplingDuration, frequency) / FailureWindow.Buckets))
        {
            MaxWait = options.MaxWait is { } wait ? Ticks.Of(wait, frequency) : 0,
            OnlyObserves = options.Mode is LimitMode.Observe,
        };
}
