using System.Diagnostics;
using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>soak</c>: counts what a long run leaks.</summary>
internal static class SoakCommand
{
    internal static async Task<int> RunAsync(CommandOptions options)
    {
        var length = TimeSpan.FromSeconds(options.Seconds);
        var clock = Stopwatch.StartNew();
        await using var run = new SoakRun(options.Seed);
        var report = await run.RunAsync(_ => clock.Elapsed < length / 4, _ => clock.Elapsed < length);

        string text = string.Create(CultureInfo.InvariantCulture, $"""
            seed {options.Seed}, {SoakRun.Threads} threads, {clock.Elapsed.TotalSeconds:0} s
            calls                       {report.Calls:N0}, of which {report.Succeeded:N0} succeeded
            requests at the server      {report.Requests:N0} over {report.Connections:N0} connections
            connections in the pool     {report.KeptConnections} (at most {SoakRun.MaxConnections})
            connections leaked          {report.LeakedConnections} after the client is disposed
            responses not disposed      {report.LeakedResponses} of {report.Responses:N0}
            timers alive                {report.TimersBefore} after a quarter, {report.TimersAfter} at the end, of {report.Timers:N0}
            unobserved task exceptions  {report.UnobservedExceptions}
            heap                        {report.HeapBefore:N0} B after a quarter, {report.HeapAfter:N0} B at the end
            {(report.IsClean ? "clean" : "NOT clean")}
            """);
        Console.WriteLine(text);
        return report.IsClean ? 0 : 1;
    }
}
