using System.Net;
using HttpResilience.Simulation;
using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Simulation;

/// <summary>
/// What a host sees of many clients while it is down, and when it is back. Virtual time: the same
/// seed gives the same numbers on any machine.
/// </summary>
public sealed class OutageSimulationTests
{
    // Calls are made at random moments: a second has a few more of them or a few less.
    private const double Noise = 0.25;

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(10);

    [Theory, InlineData(1), InlineData(2)]
    public void Naive_retries_quadruple_the_load_and_the_chain_takes_it_off_the_host(int seed)
    {
        var simulation = Small(seed);

        var naive = simulation.RunNaive();
        var chain = simulation.RunChain();

        naive.LoadInOutage.ShouldBeInRange(3.8, 4.2);
        chain.LoadInOutage.ShouldBeLessThanOrEqualTo(1.2);
        chain.PeakInOutage.ShouldBeLessThanOrEqualTo(1.2 + Noise);
        chain.PeakAfterOutage.ShouldBeLessThanOrEqualTo(1.5);
        (naive.FailedBeforeOutage, chain.FailedBeforeOutage).ShouldBe((0, 0));
    }

    [Theory, InlineData(1), InlineData(2)]
    public void A_host_that_asks_for_a_while_again_and_again_is_not_overrun_when_it_is_back(int seed)
    {
        var simulation =
            Small(seed) with { Clients = 100, WhileDown = new(HttpStatusCode.TooManyRequests, Soon, RetryAfter: TimeSpan.FromSeconds(7)) };

        var chain = simulation.RunChain();

        chain.PeakInOutage.ShouldBeLessThanOrEqualTo(1.2);
        chain.PeakAfterOutage.ShouldBeLessThanOrEqualTo(1.5 + Noise);
        // Every call waits, and gets through.
        (chain.FailedInOutage + chain.FailedAfterOutage).ShouldBeLessThan(chain.Calls / 1000);
    }

    [Theory, InlineData(1), InlineData(2)]
    public void Without_a_circuit_it_is_the_budget_that_bounds_the_load(int seed)
    {
        var chain = Small(seed).RunChain(o =>
        {
            o.CircuitBreaker.BreakDuration = null;
            o.Retry.Budget.MinimumThroughput = 1;
        });

        // A fifth of the calls, and one retry in ten seconds for each client, less those that still wait for the budget when it ends.
        chain.LoadInOutage.ShouldBeInRange(1.05, 1.21 + 0.02);
        chain.PeakAfterOutage.ShouldBeLessThanOrEqualTo(1.5);
    }

    [Theory, InlineData(1), InlineData(2)]
    public void A_host_that_does_not_answer_at_all_is_not_overrun_either(int seed)
    {
        var simulation = Small(seed) with { WhileDown = new(null, Soon) };

        var chain = simulation.RunChain();
        var classic = simulation.RunChain(o => o.CircuitBreaker.UseClassic());

        chain.LoadInOutage.ShouldBeLessThanOrEqualTo(1.2);
        classic.LoadInOutage.ShouldBeLessThanOrEqualTo(1.2);
        classic.PeakAfterOutage.ShouldBeLessThanOrEqualTo(1.5);
        // No circuit hears of it before the first attempts time out, when the host is back: after a short break it meets their retries.
        chain.PeakAfterOutage.ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public void A_longer_outage_ends_without_a_spike_too()
    {
        var simulation = Small(seed: 1) with { OutageLength = TimeSpan.FromSeconds(100), Length = TimeSpan.FromSeconds(250) };

        var chain = simulation.RunChain();

        chain.PeakInOutage.ShouldBeLessThanOrEqualTo(1.2 + Noise);
        chain.PeakAfterOutage.ShouldBeLessThanOrEqualTo(1.5);
        chain.LoadPerSecond[^1].ShouldBeGreaterThan((int)(0.8 * simulation.NormalLoad));
    }

    [Fact]
    public void The_same_seed_gives_the_same_run()
    {
        var simulation = Small(seed: 4);

        simulation.RunChain().LoadPerSecond.ShouldBe(simulation.RunChain().LoadPerSecond);
        simulation.RunChain().LoadPerSecond.ShouldNotBe((simulation with { Seed = 5 }).RunChain().LoadPerSecond);
    }

    private static OutageSimulation Small(int seed) => new() { Seed = seed, Clients = 30, Length = TimeSpan.FromSeconds(80) };
}
