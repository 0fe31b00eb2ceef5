using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>outage</c>: the simulation in virtual time, as a table and as a plot.</summary>
internal static class OutageCommand
{
    internal static int Run(CommandOptions options)
    {
        var simulation = new OutageSimulation { Seed = options.Seed };
        var naive = simulation.RunNaive();
        var chain = simulation.RunChain();

        string output = options.Output ?? Path.Combine("docs", "outage.svg");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        File.WriteAllText(output, OutagePlot.Draw(simulation, naive, chain));

        Console.WriteLine(Text($"seed {simulation.Seed}: {simulation.Clients} clients, {simulation.CallRate} calls/s each, ")
            + Text($"a host that answers 503 for {simulation.OutageLength.TotalSeconds} s; virtual time"));
        Console.WriteLine();
        Console.WriteLine("| | three retries at once | default chain | aim |");
        Console.WriteLine("|---|--:|--:|--:|");
        Row("load during the outage, mean", r => Text($"{r.LoadInOutage:0.00} ×"), "≤ 1.2 ×");
        Row("load during the outage, worst second", r => Text($"{r.PeakInOutage:0.00} ×"), "");
        Row("load after it, worst second", r => Text($"{r.PeakAfterOutage:0.00} ×"), "≤ 1.5 ×");
        Row("requests during the outage", r => Text($"{r.RequestsInOutage:N0}"), "");
        Row("calls made", r => Text($"{r.Calls:N0}"), "");
        Row("calls that began in the outage and failed", r => Text($"{r.FailedInOutage:N0}"), "");
        Row("calls that began after it and failed", r => Text($"{r.FailedAfterOutage:N0}"), "");
        Console.WriteLine();
        Console.WriteLine($"plot: {output}");
        return chain is { LoadInOutage: <= 1.2, PeakAfterOutage: <= 1.5 } ? 0 : 1;

        void Row(string name, Func<OutageResult, string> value, string aim) =>
            Console.WriteLine($"| {name} | {value(naive)} | {value(chain)} | {aim} |");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
