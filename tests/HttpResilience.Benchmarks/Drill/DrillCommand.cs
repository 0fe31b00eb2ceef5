using System.Diagnostics;
using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>drill</c>: a payment gateway on a bad day, as a table.</summary>
internal static class DrillCommand
{
    internal static int Run(CommandOptions options)
    {
        long startedAt = Stopwatch.GetTimestamp();
        var naive = Drill.RunNaive(options.Seed);
        var defaults = Drill.RunChain(options.Seed, configure: null);
        var chain = Drill.RunChain(options.Seed, Configure);

        var perClient = Stopwatch.GetElapsedTime(startedAt) / 3;
        Console.WriteLine(Text($"seed {options.Seed}: {naive.Payments:N0} payments, ")
            + Text($"a day of virtual time in {perClient.TotalSeconds:0} s for each client"));
        Console.WriteLine();
        Console.WriteLine("| | three retries at once | chain, as it comes | chain, set | against the retries | aim |");
        Console.WriteLine("|---|--:|--:|--:|--:|--:|");
        Row("failed payments", r => r.Failed, aim: -0.88);
        Row("– to the silent API: no client can help", r => r.FailedForNoAnswer);
        Row("– all others", r => r.FailedElsewhere);
        Row("– of these dragged along: no worker free", r => r.Dragged);
        Row("cascades: times that an API that was well failed with the silent one", r => r.Cascades, aim: -1);
        Row("p95 of a payment during the outage, ms", r => r.P95OfOutage, aim: -0.38);
        Row("p95 of a payment over the day, ms", r => r.P95OfDay, aim: -0.38);
        Row("log lines, Information and above", r => r.LogLines, aim: -0.875);
        Row("requests sent", r => r.Requests);
        return 0;

        void Row(string name, Func<DrillResult, double> value, double? aim = null)
        {
            double change = value(chain) / value(naive) - 1;
            string reached = aim is { } a ? Text($"{a * 100:0.#} %, {(change <= a ? "reached" : "not reached")}") : "";
            Console.WriteLine(Text(
                $"| {name} | {value(naive):N0} | {value(defaults):N0} | {value(chain):N0} | {change * 100:+0.0;-0.0} % | {reached} |"));
        }
    }

    // The README has the same settings.
    private static void Configure(HttpResilienceOptions options)
    {
        options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(25);
        options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(3);
        options.CircuitBreaker.FailureThreshold = 60;
        options.CircuitBreaker.FailureRatio = 0.5;
        options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(2);
        options.CircuitBreaker.MaxBreakDuration = TimeSpan.FromSeconds(30);
    }

    // U+2212, the minus sign, is as wide as the plus sign.
    private static string Text(FormattableString text) =>
        text.ToString(CultureInfo.InvariantCulture).Replace("-", "−", StringComparison.Ordinal);
}
