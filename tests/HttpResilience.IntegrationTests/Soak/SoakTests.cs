using HttpResilience.Simulation;

namespace HttpResilience.IntegrationTests.Soak;

/// <summary>Runs alone, because it checks unobserved exceptions and the heap of the whole process.</summary>
[Collection(nameof(Alone))]
public sealed class SoakTests
{
    // Calls per thread, a few seconds in all. The soak command of the benchmarks runs for a given time.
    private const int FirstCalls = 60;
    private const int Calls = 180;

    [Fact]
    public async Task Calls_with_every_fault_over_real_sockets_leak_nothing()
    {
        int seed = Environment.TickCount & 0xFFFF;
        await using var run = new SoakRun(seed);

        var report = await run.RunAsync(calls => calls < FirstCalls, calls => calls < Calls);

        string because = $"seed {seed}: {report}";
        report.Calls.ShouldBe(SoakRun.Threads * (FirstCalls + Calls), because);
        report.Succeeded.ShouldBeGreaterThan(report.Calls / 10, because);
        report.Responses.ShouldBeGreaterThan(report.Calls / 4, because);
        report.KeptConnections.ShouldBeLessThanOrEqualTo(SoakRun.MaxConnections, because);
        report.LeakedConnections.ShouldBe(0, because);
        report.LeakedResponses.ShouldBe(0, because);
        report.UnobservedExceptions.ShouldBe(0, because);
        report.TimersAreKept.ShouldBeTrue(because);
        report.HeapIsFlat.ShouldBeTrue(because);
    }
}
