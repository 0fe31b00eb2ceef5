using System.Diagnostics;
using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>drill</c>: a payment gateway on a bad day, as a table.</summary>
internal static class DrillCommand
{
    private static readonly Func<int, DrillResult>[] Clients =
        [Drill.RunNaive, Drill.RunStandardHandler, seed => Drill.RunChain(seed, configure: null), Drill.RunWithLetters];

    internal static int Run(CommandOptions options)
    {
        var seeds = options.SeedsOr(10);
        var results = Simulations.Run(
            [.. seeds.SelectMany(seed => Clients.Select(client => (Func<DrillResult>)(() => client(seed))))],
            ShapesCommand.Progress(Stopwatch.StartNew()));
        DrillResult[][] of = [.. Clients.Select((_, i) => results.Where((_, at) => at % Clients.Length == i).ToArray())];
        var (naive, standard, chain, letters) = (of[0], of[1], of[2], of[3]);

        string days = seeds.Count == 1 ? $"seed {seeds[0]}" : $"means of seeds {seeds[0]} to {seeds[^1]}";
        double payments = naive.Average(r => r.Payments);
        Console.WriteLine(Text($"{days}: a day of {payments:N0} payments in virtual time; all settings are the defaults"));
        Console.WriteLine();
        Console.WriteLine(
            "| | three retries at once | Microsoft's standard handler | ours, as it comes | ours, with dead letters | as it comes, against "
            + "the retries | aim |");
        Console.WriteLine("|---|--:|--:|--:|--:|--:|--:|");
        Row("timeouts and failures that a client can avoid", r => r.FailedElsewhere, aim: -0.88);
        Console.WriteLine($"| – from the best to the worst seed | {string.Join(" | ", of.Select(Range))} | | |");
        Row("– first request never answered, by an API that was well", r => r.FailedForLostRequest);
        Row("– dragged along: no worker free", r => r.Dragged);
        Row("cascades: times that an API that was well failed with the silent one", r => r.Cascades, aim: -1);
        Row("failures while their API was silent: no client can help", r => r.FailedForNoAnswer);
        Row("p95 of a payment during the outage, ms", r => r.P95OfOutage, aim: -0.38);
        Row("p95 of a payment over the day, ms", r => r.P95OfDay);
        Row("log lines about retries, Information and above", r => r.LinesAboutRetries, aim: -0.875);
        Row("log lines, Information and above", r => r.LogLines);
        Row("requests sent", r => r.Requests);
        Row("confirmed at once: within 30 s", r => r.Of(PaymentEnd.Confirmed));
        Row("confirmed later", r => r.ConfirmedLater);
        Row("never confirmed", r => r.NeverConfirmed);
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"avoidable failures: naive {naive.Average(r => r.FailedElsewhere):0}, as it comes {chain.Average(r => r.FailedElsewhere):0}"));
        return 0;

        void Row(string name, Func<DrillResult, double> value, double? aim = null)
        {
            double change = chain.Average(value) / naive.Average(value) - 1;
            string reached = aim is { } a ? Text($"{a * 100:0.#} %, {(change <= a ? "reached" : "not reached")}") : "";
            string changed = double.IsFinite(change) ? Text($"{change * 100:+0.0;-0.0} %") : "";
            Console.WriteLine(Text($"| {name} | {naive.Average(value):N0} | {standard.Average(value):N0} | {chain.Average(value):N0} ")
                + Text($"| {letters.Average(value):N0} | {changed} | {reached} |"));
        }
    }

    private static string Range(DrillResult[] results) =>
        Text($"{results.Min(r => r.FailedElsewhere):N0} to {results.Max(r => r.FailedElsewhere):N0}");

    // U+2212, the minus sign, is as wide as the plus sign.
    private static string Text(FormattableString text) =>
        text.ToString(CultureInfo.InvariantCulture).Replace("-", "−", StringComparison.Ordinal);
}
