namespace HttpResilience;

/// <summary>The limits that the state of a host sets to a retry.</summary>
internal static class HostLimits
{
    /// <summary>Stops a retry that would meet an open circuit or exceed the retry budget of the host.</summary>
    internal static RetryDecision Apply(RetryDecision retry, HttpCall call, HostState host, long endedAt, long deadline)
    {
        if (call.WouldBeRejectedAt(endedAt + call.Policy.ToTimestamp(retry.Delay), deadline))
            return RetryDecision.Stop(StopReason.CircuitOpen);
        return call.Policy.Retry.Budget is { } budget && !host.GetOrAddBudget().TrySpend(budget, endedAt)
            ? RetryDecision.Stop(StopReason.BudgetExhausted)
            : retry;
    }
}
