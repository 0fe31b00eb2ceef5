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

        Console.WriteLine(Text($"seed {options.Seed}: {naive.Payments:N0} payments, a day of virtual time in {Stopwatch.GetElapsedTime(startedAt).TotalSeconds / 3:0} s for each client"));
        Console.WriteLine();
        Console.WriteLine("| | three retries at once | chain, defaults | chain, set | set against naive | aim |");
        Console.WriteLine("|---|--:|--:|--:|--:|--:|");
        Row("failed payments", r => r.Failed, "−88 %");
        Row("… to the silent API in its outage", r => r.FailedForNoAnswer, "");
        Row("… all others", r => r.FailedElsewhere, "");
        Row("… of them dragged along: no worker free", r => r.Dragged, "");
        Row("cascades to an API that was well", r => r.Cascades, "0");
        Row("p95 of a payment, ms: in the outage", r => r.P95OfOutage, "−38 %");
        Row("p95 of a payment, ms: of the day", r => r.P95OfDay, "");
        Row("log lines (Information and above)", r => r.LogLines, "−87.5 %");
        Row("requests to the APIs", r => r.Requests, "");
        return 0;

        void Row(string name, Func<DrillResult, double> value, string aim) => Console.WriteLine(Text(
            $"| {name} | {value(naive):N0} | {value(defaults):N0} | {value(chain):N0} | {(value(chain) / value(naive) - 1) * 100:+0.0;−0.0} % | {aim} |"));
    }

    // The README shows these.
    private static void Configure(HttpResilienceOptions options)
    {
        options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(25);
        options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(3);
        options.Retry.Delay = TimeSpan.FromSeconds(0.5);
        options.CircuitBreaker.FailureThreshold = 30;
        options.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(2);
        options.CircuitBreaker.MaxBreakDuration = TimeSpan.FromSeconds(30);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
