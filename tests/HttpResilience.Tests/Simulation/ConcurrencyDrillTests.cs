using HttpResilience.Benchmarks;
using HttpResilience.Simulation;

namespace HttpResilience.Tests.Simulation;

/// <summary>
/// An API whose capacity is halved for a minute, with a limit of concurrent attempts that finds itself. Virtual time: the same seed gives
/// the same numbers on any machine. The benchmark's command <c>concurrency</c> has ten seeds, and APIs with which nothing is wrong.
/// </summary>
public sealed class ConcurrencyDrillTests
{
    [Fact]
    public void The_queue_at_a_halved_API_stays_short_and_its_capacity_in_use()
    {
        var result = new LoadRun(LoadScenario.Halved, seed: 1).Run(ConcurrencyMode.Adaptive);

        var before = result.In(TimeSpan.FromSeconds(5), LoadScenario.HalvedAt);
        var halved = result.In(LoadScenario.HalvedAt, LoadScenario.RestoredAt);
        before.Failed.ShouldBe(0);
        halved.Stayed.ShouldBeLessThan(2 * before.Stayed);
        halved.Throughput.ShouldBeGreaterThan(0.9 * 25 / 0.03);
        result.SecondsUntilNormal(LoadScenario.RestoredAt, before.P50).ShouldBeLessThanOrEqualTo(10);
    }
}
