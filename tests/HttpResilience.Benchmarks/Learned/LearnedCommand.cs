using System.Diagnostics;
using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>learned</c>: reads with hedging off, at 500 ms, and at the delay that it learns, as a table.</summary>
internal static class LearnedCommand
{
    private static readonly (string Name, Action<HttpResilienceOptions>? Configure)[] Clients =
    [
        ("off", null),
        ("after 500 ms", o => (o.Hedging.Enabled, o.Hedging.Delay) = (true, TimeSpan.FromMilliseconds(500))),
        ("learned", o => o.Hedging.Enabled = true),
    ];

    internal static int Run(CommandOptions options)
    {
        var seeds = options.SeedsOr(10);
        var runs = LatencyShape.All.SelectMany(shape => Clients.SelectMany(client => seeds.Select(seed =>
            (Func<LearnedResult>)(() => LearnedRun.Run(shape, seed, client.Configure))))).ToList();
        var results = Simulations.Run(runs, ShapesCommand.Progress(Stopwatch.StartNew()));

        Console.WriteLine(Text($"200 reads a second for 5 minutes, in virtual time; means of seeds {seeds[0]} to {seeds[^1]}; ms"));
        Console.WriteLine();
        Console.WriteLine("| the API answers | hedging | p50 | p95 | p99 | p99, against off | requests, against off | failed |");
        Console.WriteLine("|---|---|--:|--:|--:|--:|--:|--:|");
        foreach (var (index, shape) in LatencyShape.All.Index())
        {
            LearnedResult[][] of = [.. Clients.Select((_, client) =>
                results.Skip(((index * Clients.Length) + client) * seeds.Count).Take(seeds.Count).ToArray())];
            foreach (var (client, result) in of.Index())
            {
                Console.WriteLine(Text($"| {shape.Name} | {Clients[client].Name} | {result.Average(r => r.P50):0} ")
                    + Text($"| {result.Average(r => r.P95):0} ")
                    + Text($"| {result.Average(r => r.P99):0} | {Change(result, of[0], r => r.P99):+0;-0;0} % ")
                    + Text($"| {Change(result, of[0], r => r.Requests):+0.00;-0.00;0} % | {result.Average(r => r.Failed):0} |"));
            }
        }

        return 0;
    }

    private static double Change(LearnedResult[] results, LearnedResult[] off, Func<LearnedResult, double> value) =>
        (results.Average(value) / off.Average(value) - 1) * 100;

    // U+2212, the minus sign, is as wide as the plus sign.
    private static string Text(FormattableString text) =>
        text.ToString(CultureInfo.InvariantCulture).Replace("-", "−", StringComparison.Ordinal);
}
