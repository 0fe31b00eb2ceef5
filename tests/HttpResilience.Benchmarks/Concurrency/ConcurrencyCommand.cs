using System.Diagnostics;
using System.Globalization;
using System.Text;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>
/// <c>concurrency</c>: an API whose capacity is halved for a minute, and APIs with which nothing is wrong, without a limit and with one
/// that finds itself, as one table with the aims.
/// </summary>
internal static class ConcurrencyCommand
{
    private const double Possible = 25 / 0.03;
    private static readonly ConcurrencyMode[] Modes = [ConcurrencyMode.Off, ConcurrencyMode.Adaptive];

    private static readonly (string Name, TimeSpan From, TimeSpan To)[] Phases =
    [
        ("before (5 to 30 s)", TimeSpan.FromSeconds(5), LoadScenario.HalvedAt),
        ("halved (30 to 90 s)", LoadScenario.HalvedAt, LoadScenario.RestoredAt),
        ("restored (90 to 100 s)", LoadScenario.RestoredAt, LoadScenario.RestoredAt + TimeSpan.FromSeconds(10)),
        ("later (100 to 120 s)", LoadScenario.RestoredAt + TimeSpan.FromSeconds(10), LoadScenario.Length),
    ];

    /// <returns>1 when an aim is missed.</returns>
    internal static int Run(CommandOptions options)
    {
        var seeds = options.SeedsOr(10);
        (LoadScenario Scenario, ConcurrencyMode Mode, int Seed)[] runs =
        [
            .. ((LoadScenario[])[LoadScenario.Halved, .. LoadScenario.WithoutFault])
                .SelectMany(s => Modes.SelectMany(m => seeds.Select(seed => (s, m, seed)))),
        ];
        var outcomes = Simulations.Run(
            [.. runs.Select(r => (Func<Outcome>)(() => Outcome.Of(r.Scenario, r.Mode, new LoadRun(r.Scenario, r.Seed).Run(r.Mode))))],
            ShapesCommand.Progress(Stopwatch.StartNew()));
        var results = runs.Zip(outcomes).ToLookup(r => (r.First.Scenario, r.First.Mode), r => r.Second);
        var text = new StringBuilder();
        text.AppendLine($"Virtual time, {ShapeTable.Seeds(seeds)}. Times in ms.").AppendLine();
        AddTable(text, results);
        bool met = AddAims(text, results);
        Console.Write(text);
        if (options.Plot is { } plot)
        {
            var drawn = Modes.Select(m => new LoadRun(LoadScenario.Halved, options.Seed).Run(m)).ToList();
            File.WriteAllText(plot, ConcurrencyPlot.Draw(drawn[0], drawn[1]));
        }

        return met ? 0 : 1;
    }

    private static void AddTable(StringBuilder text, ILookup<(LoadScenario, ConcurrencyMode), Outcome> results)
    {
        text.AppendLine("| calls to the API | limit | answered/s | wait at the API | time at the API | p95 | calls: p50 | p99 | failed |");
        text.AppendLine("|---|---|--:|--:|--:|--:|--:|--:|--:|");
        for (int phase = 0; phase < Phases.Length; phase++)
        {
            foreach (var mode in Modes)
                AddRow(text, $"{Phases[phase].Name}", mode, results[(LoadScenario.Halved, mode)].Select(o => o.Phases[phase]));
        }

        foreach (var scenario in LoadScenario.WithoutFault)
        {
            foreach (var mode in Modes)
                AddRow(text, scenario.Name, mode, results[(scenario, mode)].Select(o => o.Phases[0]));
        }

        text.AppendLine();
    }

    private static void AddRow(StringBuilder text, string name, ConcurrencyMode mode, IEnumerable<LoadFigures> figures)
    {
        var f = LoadFigures.MeanOf([.. figures]);
        text.Append(CultureInfo.InvariantCulture, $"| {name} | {(mode is ConcurrencyMode.Off ? "off" : "adaptive")} | {f.Throughput:N0} ");
        text.Append(CultureInfo.InvariantCulture, $"| {f.Queued:N1} | {f.Stayed:N1} | {f.StayedP95:N0} ");
        text.AppendLine(CultureInfo.InvariantCulture, $"| {f.P50:N0} | {f.P99:N0} | {f.Failed:0.#} % |");
    }

    private static bool AddAims(StringBuilder text, ILookup<(LoadScenario, ConcurrencyMode), Outcome> results)
    {
        var (off, ours) = (results[(LoadScenario.Halved, ConcurrencyMode.Off)].ToList(),
            results[(LoadScenario.Halved, ConcurrencyMode.Adaptive)].ToList());
        text.AppendLine("| aim | off, worst seed | adaptive, worst seed | met |").AppendLine("|---|--:|--:|---|");
        bool met = Add("mean time at the API while halved at most 2 × before", o => o.Phases[1].Stayed / o.Phases[0].Stayed, 2, "0.00 ×")
            & Add("the same, p95", o => o.Phases[1].StayedP95 / o.Phases[0].StayedP95, 2, "0.00 ×")
            & Add("throughput while halved at least 90 % of the possible one", o => o.Phases[1].Throughput / Possible, -0.9, "0.0 %")
            & Add("calls as fast as before within 10 s of the restoration", o => o.Back, 10, "0 s");
        foreach (var scenario in LoadScenario.WithoutFault)
        {
            var pairs = results[(scenario, ConcurrencyMode.Off)].Zip(results[(scenario, ConcurrencyMode.Adaptive)]).ToList();
            double worse = pairs.Max(p => Math.Max(
                p.Second.Phases[1].P99 / p.First.Phases[1].P99, p.Second.Phases[1].P50 / p.First.Phases[1].P50));
            string from = scenario.CompareFrom > TimeSpan.Zero ? ", from 10 s after the change" : "";
            bool same = worse <= 1.05 && pairs.All(p => p.Second.Phases[1].Failed <= p.First.Phases[1].Failed);
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {scenario.Name}: no more failures, p50 and p99 at most 1.05 ×{from} | 1 | {worse:0.00} | {Word(same)} |");
            met &= same;
        }

        return met;

        // A negative limit is a lower one.
        bool Add(string aim, Func<Outcome, double> value, double limit, string format)
        {
            double Worst(List<Outcome> of) => limit < 0 ? of.Min(value) : of.Max(value);
            bool isMet = limit < 0 ? Worst(ours) >= -limit : Worst(ours) <= limit;
            string Show(double v) => v.ToString(format, CultureInfo.InvariantCulture);
            text.AppendLine($"| {aim} | {Show(Worst(off))} | {Show(Worst(ours))} | {Word(isMet)} |");
            return isMet;
        }
    }

    private static string Word(bool met) => met ? "yes" : "no";

    /// <summary>What is kept of a run.</summary>
    /// <param name="Phases">The figures of the phases; without a fault, those of the whole run, and of the time that is compared.</param>
    /// <param name="Back">The seconds from the restoration until calls were as fast as before.</param>
    private sealed record Outcome(IReadOnlyList<LoadFigures> Phases, int Back)
    {
        internal static Outcome Of(LoadScenario scenario, ConcurrencyMode mode, LoadResult result)
        {
            if (scenario != LoadScenario.Halved)
                return new([result.In(TimeSpan.Zero, LoadScenario.Length), result.In(scenario.CompareFrom, LoadScenario.Length)], 0);
            LoadFigures[] phases = [.. ConcurrencyCommand.Phases.Select(p => result.In(p.From, p.To))];
            return new(phases, result.SecondsUntilNormal(LoadScenario.RestoredAt, phases[0].P50));
        }
    }
}
