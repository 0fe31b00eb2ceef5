namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>Opens the circuit of a chain's host without a failed call.</summary>
internal static class TrippedCircuit
{
    private static readonly Uri Api = new("https://api.test");

    /// <summary>Opens the circuit, and has calls wait for the clock from now on.</summary>
    internal static HostState Trip(this Chain chain, string? tenant = null)
    {
        chain.Clock.SkipsWaits = false;
        var host = chain.State.Hosts.GetOrAdd(new(new HttpAuthority(Api), tenant), 100, chain.State.Time.GetTimestamp());
        host.Circuit.Close(chain.State.Time.GetTimestamp());
        var policy = chain.State.Policy.CircuitBreaker! with { FailureDuration = null };
        while (host.Circuit.State is CircuitState.Closed)
        {
            long now = chain.State.Time.GetTimestamp();
            host.Circuit.Report(policy, host.Circuit.Enter(policy, now).Ticket, CircuitOutcome.Failure, now, 0, now);
        }

        return host;
    }

    /// <summary>Waits for what other threads do.</summary>
    internal static async Task UntilAsync(Func<bool> isSo)
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
            await Task.Delay(1, hang.Token);
    }
}
