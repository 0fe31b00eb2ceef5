using System.Globalization;
using System.Text;
using BenchmarkDotNet.Reports;

namespace HttpResilience.Benchmarks;

/// <summary>One line for each scenario: medians and allocated bytes per call, and what chain and Polly add to the bare client.</summary>
internal static class ComparisonTable
{
    internal static string From(IEnumerable<Summary> summaries)
    {
        var table = new StringBuilder()
            .AppendLine("| scenario | bare | chain | Polly | time added: chain / Polly | bytes added: chain, Polly | retained per host: chain, Polly |")
            .AppendLine("|---|--:|--:|--:|--:|--:|--:|");
        foreach (var scenario in summaries.SelectMany(s => s.Reports).Where(r => r.Success).GroupBy(Name))
            table.AppendLine(Line(scenario.Key, scenario.ToDictionary(r => r.BenchmarkCase.Descriptor.WorkloadMethod.Name, Measured.From)));
        return table.ToString();
    }

    private static string Line(string scenario, Dictionary<string, Measured> by)
    {
        if (!by.TryGetValue("Chain", out var chain) || !by.TryGetValue("Polly", out var polly))
            return $"| {scenario} | – | – | – | – | – | – |";

        by.TryGetValue("Bare", out var bare);
        string baseline = bare is null ? "–" : Time(bare.Nanoseconds);
        double fromNanoseconds = bare?.Nanoseconds ?? 0;
        double fromBytes = bare?.Bytes ?? 0;
        string retained = polly.Retained is { } kept ? Text($"{chain.Retained:0}, {kept:0} B") : "";
        return Text($"| {scenario} | {baseline} | {Time(chain.Nanoseconds)} | {Time(polly.Nanoseconds)} | ") + Text(
            $"{(chain.Nanoseconds - fromNanoseconds) / (polly.Nanoseconds - fromNanoseconds):0.00} | {chain.Bytes - fromBytes:0}, {polly.Bytes - fromBytes:0} B | {retained} |");
    }

    private static string Name(BenchmarkReport report) => report.BenchmarkCase switch
    {
        { Descriptor.Type.Name: nameof(NewAuthorityBenchmarks) } => "first call on each of 100,000 hosts",
        { Descriptor.Type.Name: nameof(OpenCircuitBenchmarks) } => "rejected by an open circuit",
        { Descriptor.Type.Name: nameof(RetryBenchmarks) } retry => "503, then 200, " + ((bool)retry.Parameters[nameof(RetryBenchmarks.Suspends)] ? "suspends" : "synchronously"),
        var call => call.Parameters[nameof(CallBenchmarks.Scenario)].ToString()!,
    };

    private static string Time(double nanoseconds) => nanoseconds < 10_000 ? Text($"{nanoseconds:0} ns") : Text($"{nanoseconds / 1000:0.0} µs");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Measured(double Nanoseconds, double Bytes, double? Retained)
    {
        internal static Measured From(BenchmarkReport report)
        {
            string method = report.BenchmarkCase.Descriptor.WorkloadMethod.Name;
            bool keeps = report.BenchmarkCase.Descriptor.Type == typeof(NewAuthorityBenchmarks);
            return new(
                report.ResultStatistics!.Median,
                report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0,
                keeps && NewAuthorityBenchmarks.Retained.TryGetValue(method, out double kept) ? kept : null);
        }
    }
}
