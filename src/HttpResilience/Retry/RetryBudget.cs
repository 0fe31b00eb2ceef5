namespace HttpResilience;

/// <summary>
/// Limits the load that retries add to a failing host: retries ≤ ratio × calls + a few, over a sliding time (Google SRE, Handling
/// Overload; Finagle's retry budgets).
/// </summary>
internal sealed class RetryBudget
{
    // The window counts sends as attempts, and retries as failures.
    private FailureWindow _window;

    internal void CountCall(RetryBudgetPolicy policy, long now) => _window.Add(failed: false, now, policy.BucketLength);

    /// <summary>Takes a retry from the budget.</summary>
    /// <returns>False when the budget is exhausted.</returns>
    internal bool TrySpend(RetryBudgetPolicy policy, long now)
    {
        var (sendings, retries) = _window.Sum(now, policy.BucketLength);
        if (retries >= policy.RetryRatio * (sendings - retries) + policy.MinimumThroughput)
            return false;

        _window.Add(failed: true, now, policy.BucketLength);
        return true;
    }
}

/// <summary>An immutable snapshot of <see cref="RetryBudgetOptions"/>.</summary>
/// <param name="BucketLength">A tenth of the sampling duration, in timestamp ticks.</param>
internal sealed record RetryBudgetPolicy(double RetryRatio, int MinimumThroughput, long BucketLength)
{
    /// <param name="frequency">Timestamp ticks per second.</param>
    internal static RetryBudgetPolicy? From(RetryBudgetOptions options, long frequency) => options.RetryRatio is not { } ratio ? null
        : new(ratio, options.MinimumThroughput, Math.Max(1, Ticks.Of(options.SamplingDuration, frequency) / FailureWindow.Buckets));
}
