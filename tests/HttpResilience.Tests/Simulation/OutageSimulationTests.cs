using System.Net;
using HttpResilience.Simulation;

namespace HttpResilience.Tests.Simulation;

/// <summary>What a host sees of many clients while it is down, and when it is back. Virtual time: the same seed gives the same numbers on any machine.</summary>
public sealed class OutageSimulationTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(10);

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Naive_retries_quadruple_the_load_and_the_chain_takes_it_off_the_host(int seed)
    {
        var simulation = Small(seed);

        var naive = simulation.RunNaive();
        var chain = simulation.RunChain();

        naive.LoadInOutage.ShouldBeInRange(3.8, 4.2);
        chain.LoadInOutage.ShouldBeLessThanOrEqualTo(1.2);
        chain.PeakInOutage.ShouldBeLessThanOrEqualTo(1.2);
        chain.PeakAfterOutage.ShouldBeLessThanOrEqualTo(1.5);
        (naive.FailedBeforeOutage, chain.FailedBeforeOutage).ShouldBe((0, 0));
    }

    public static TheoryData<string, int> Variants => new([.. from kind in "Retry-After budget pause silent long".Split() from seed in Enumerable.Range(1, 3) select (kind, seed)]);

    [Theory, MemberData(nameof(Variants))]
    public void Explore(string kind, int seed)
    {
        var simulation = Small(seed);
        Action<HttpResilienceOptions>? configure = null;
        switch (kind)
        {
            case "Retry-After": simulation = simulation with { WhileDown = new(HttpStatusCode.ServiceUnavailable, Soon, TimeSpan.FromSeconds(7)) }; break;
            case "budget": configure = o => { o.CircuitBreaker.BreakDuration = null; o.Retry.Budget.MinimumThroughput = 1; }; break;
            case "pause": simulation = simulation with { WhileDown = new(HttpStatusCode.TooManyRequests, Soon, TimeSpan.FromSeconds(7)) }; break;
            case "silent": simulation = simulation with { WhileDown = new(null, Soon) }; break;
            case "long": simulation = simulation with { OutageLength = TimeSpan.FromSeconds(100), Length = TimeSpan.FromSeconds(300) }; break;
        }

        var chain = simulation.RunChain(configure);
        TestContext.Current.SendDiagnosticMessage("XX");
        Assert.Fail($"{kind} {seed}: mean {chain.LoadInOutage:0.00} peak {chain.PeakInOutage:0.00} after {chain.PeakAfterOutage:0.00} failed {chain.FailedInOutage} {chain.FailedAfterOutage} of {chain.Calls}: " + string.Join(" ", chain.LoadPerSecond));
    }

    private static OutageSimulation Small(int seed) => new() { Seed = seed, Clients = 50 };
}
