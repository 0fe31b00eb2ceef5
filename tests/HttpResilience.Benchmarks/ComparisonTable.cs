using System.Globalization;
using System.Text;
using BenchmarkDotNet.Reports;

namespace HttpResilience.Benchmarks;

/// <summary>One line per scenario: time and allocated bytes per call, and what the chain and Polly add to the bare client.</summary>
/// <remarks>Times are those of the fastest iteration of all passes, because other work on the machine can only slow one down.</remarks>
internal static class ComparisonTable
{
    internal static string From(IEnumerable<Summary> summaries)
    {
        var table = new StringBuilder()
            .AppendLine("| scenario | bare | chain | Polly | time added: chain / Polly | bytes added: chain, Polly |")
            .AppendLine("|---|--:|--:|--:|--:|--:|");
        foreach (var scenario in summaries.SelectMany(s => s.Reports).Where(r => r.Success).OrderBy(Order).GroupBy(Name))
            table.AppendLine(Line(scenario.Key,
                scenario.GroupBy(r => r.BenchmarkCase.Descriptor.WorkloadMethod.Name).ToDictionary(passes => passes.Key, Measured.From)));
        return table.ToString();
    }

    private static string Line(string scenario, Dictionary<string, Measured> by)
    {
        if (!by.TryGetValue("Chain", out var chain) || !by.TryGetValue("Polly", out var polly))
            return $"| {scenario} | – | – | – | – | – |";

        by.TryGetValue("Bare", out var bare);
        string baseline = bare is null ? "–" : Time(bare.Nanoseconds);
        double fromNanoseconds = bare?.Nanoseconds ?? 0;
        double fromBytes = bare?.Bytes ?? 0;
        string retained = polly.Retained is { } kept ? Text($"; kept for each: {chain.Retained:0}, {kept:0} B") : "";
        double ratio = (chain.Nanoseconds - fromNanoseconds) / (polly.Nanoseconds - fromNanoseconds);
        return Text($"| {scenario} | {baseline} | {Time(chain.Nanoseconds)} | {Time(polly.Nanoseconds)} | ")
            + Text($"{ratio:0.00} | {chain.Bytes - fromBytes:0}, {polly.Bytes - fromBytes:0} B{retained} |");
    }

    private static int Order(BenchmarkReport report) => report.BenchmarkCase.Descriptor.Type.Name switch
    {
        nameof(CallBenchmarks) =>
            CallBenchmarks.Scenarios.ToList().IndexOf((CallScenario)report.BenchmarkCase.Parameters[nameof(CallBenchmarks.Scenario)]),
        nameof(StageBenchmarks) => 50 + (int)(OptionalStage)report.BenchmarkCase.Parameters[nameof(StageBenchmarks.Stage)],
        nameof(RetryBenchmarks) => 100,
        nameof(OpenCircuitBenchmarks) => 101,
        _ => 102,
    };

    private static string Name(BenchmarkReport report) => report.BenchmarkCase switch
    {
        { Descriptor.Type.Name: nameof(NewAuthorityBenchmarks) } => "first call on each of 100,000 hosts",
        { Descriptor.Type.Name: nameof(OpenCircuitBenchmarks) } => "rejected by an open circuit",
        { Descriptor.Type.Name: nameof(StageBenchmarks) } stage =>
            StageBenchmarks.NameOf((OptionalStage)stage.Parameters[nameof(StageBenchmarks.Stage)]),
        { Descriptor.Type.Name: nameof(RetryBenchmarks) } retry =>
            "503, then 200, " + ((bool)retry.Parameters[nameof(RetryBenchmarks.Suspends)] ? "waited for" : "at once"),
        var call => call.Parameters[nameof(CallBenchmarks.Scenario)].ToString()!,
    };

    private static string Time(double nanoseconds) =>
        nanoseconds < 10_000 ? Text($"{nanoseconds:0} ns") : Text($"{nanoseconds / 1000:0.0} µs");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Measured(double Nanoseconds, double Bytes, double? Retained)
    {
        internal static Measured From(IEnumerable<BenchmarkReport> passes)
        {
            var report = passes.MinBy(r => r.ResultStatistics!.Min)!;
            string method = report.BenchmarkCase.Descriptor.WorkloadMethod.Name;
            bool keeps = report.BenchmarkCase.Descriptor.Type == typeof(NewAuthorityBenchmarks);
            return new(
                report.ResultStatistics!.Min,
                report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0,
                keeps && NewAuthorityBenchmarks.Retained.TryGetValue(method, out double kept) ? kept : null);
        }
    }
}
