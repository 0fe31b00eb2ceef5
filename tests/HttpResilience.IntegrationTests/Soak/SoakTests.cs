using HttpResilience.Simulation;

namespace HttpResilience.IntegrationTests.Soak;

/// <summary>Alone: it looks at what the whole process leaves unobserved, and at its heap.</summary>
[Collection(nameof(Alone))]
public sealed class SoakTests
{
    // Of each thread; some seconds. The benchmark project's soak runs by the clock.
    private const int FirstCalls = 60;
    private const int Calls = 180;

    [Fact]
    public async Task Every_fault_over_real_sockets_leaves_nothing_behind()
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
