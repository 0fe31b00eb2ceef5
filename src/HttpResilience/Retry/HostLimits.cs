namespace HttpResilience;

/// <summary>What the state of the host adds to the decision about a retry: it can only forbid it.</summary>
internal static class HostLimits
{
    /// <summary>Applies the host's <c>Retry-After</c> to its other calls, and its circuit and retry budget to this one.</summary>
    internal static RetryDecision Apply(ClientState client, HttpCall call, RetryDecision decision, in AttemptResult result, long endedAt)
    {
        if (call.Host is not { } host)
            return decision;

        var policy = call.Policy;
        client.ApplyRetryAfter(host, policy, result, endedAt);
        if (!decision.IsRetry)
            return decision;
        if (call.IsCircuitOpenAt(endedAt + policy.ToTimestamp(decision.Delay)))
            return RetryDecision.Stop(StopReason.CircuitOpen);
        return policy.Retry.Budget is { } budget && !host.GetOrAddBudget().TrySpend(budget, endedAt)
            ? RetryDecision.Stop(StopReason.BudgetExhausted)
            : decision;
    }
}
