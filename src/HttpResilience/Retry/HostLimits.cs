namespace HttpResilience;

/// <summary>The limits that the state of a host sets to a retry.</summary>
/// <param name="observed">Gets the retries that a budget that only observes would have stopped.</param>
internal sealed class HostLimits(ObservedLimits observed)
{
    private const int DefaultPlaces = 100;

    /// <summary>Stops a retry that would meet an open circuit or exceed the retry budget of the host.</summary>
    /// <param name="latest">The timestamp at which the retry must be sent.</param>
    /// <param name="isLeft">The retry goes to another endpoint.</param>
    internal RetryDecision Apply(RetryDecision retry, HttpCall call, HostState host, long endedAt, long latest, bool isLeft)
    {
        long due = endedAt + call.Policy.ToTimestamp(retry.Delay);
        if (!isLeft && call.WouldBeRejectedAt(due, latest))
            return RetryDecision.Stop(StopReason.CircuitOpen);
        if (call.Policy.Retry.Budget is not { } policy)
            return retry;
        var budget = host.GetOrAddBudget(call.Policy, endedAt);
        if (!budget.TrySpend(policy, endedAt))
        {
            // As many as may wait for the circuit: others need the threads and connections that a waiting call holds.
            int places = call.Policy.CircuitBreaker?.MaxWaiting ?? DefaultPlaces;
            return budget.Reserve(policy, due, latest, places, endedAt) is { } at
                ? retry.Later(call.Time.GetElapsedTime(due, at)) : RetryDecision.Stop(StopReason.BudgetExhausted);
        }

        if (policy.OnlyObserves)
        {
            // With those of hedged requests since the last retry.
            observed.OverBudget(host, budget.TakeOverdrawn());
            return retry;
        }

        return call.AttemptTimedOut
            ? retry.Later(call.Time.GetElapsedTime(due, budget.Spread(policy, due, latest, endedAt)))
            : retry;
    }
}
