using System.Diagnostics;
using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>goals</c>: the aims of the circuit for short breaks, with the figures that several seeds give.</summary>
internal static class GoalsCommand
{
    private static readonly ShapeLoad Load = ShapeLoad.Many;

    internal static int Run(CommandOptions options)
    {
        var seeds = options.SeedsOr(10);
        var watch = Stopwatch.StartNew();
        Goal[] goals =
        [
            .. OfShapes(seeds, ShapesCommand.Progress(watch)),
            .. OfDrill(Simulations.Run(
                [.. seeds.Select(seed => (Func<DrillResult>)(() => Drill.RunChain(seed, configure: null)))],
                ShapesCommand.Progress(watch))),
        ];
        Console.WriteLine(Text($"Virtual time, seeds {seeds[0]} to {seeds[^1]}, {Load} calls/s, as it comes."));
        Console.WriteLine();
        Console.WriteLine("| goal | limit | mean | worst seed | met |");
        Console.WriteLine("|---|--:|--:|--:|---|");
        foreach (var goal in goals)
        {
            string met = goal.IsMet ? "yes" : "**no**";
            Console.WriteLine(Text($"| {goal.Name} | {goal.Limit:#,0.##} | {goal.Mean:#,0.##} | {goal.Worst:#,0.##} | {met} |"));
        }

        return goals.All(g => g.IsMet) ? 0 : 1;
    }

    private static IEnumerable<Goal> OfDrill(IReadOnlyList<DrillResult> days)
    {
        yield return Of("drill: avoidable failures, mean of the seeds", 900, r => r.FailedElsewhere) with { ByMean = true };
        yield return Of("drill: payments without a free worker", 0, r => r.Dragged);
        yield return Of("drill: cascades", 0, r => r.Cascades);
        yield return Of("drill: p95 of a payment in the outage, s", 5.1, r => r.P95OfOutage / 1000);

        Goal Of(string name, double limit, Func<DrillResult, double> figure) => new(name, limit, [.. days.Select(figure)]);
    }

    private static IEnumerable<Goal> OfShapes(IReadOnlyList<int> seeds, Action<int, int> progress)
    {
        Shape[] unavailable = [.. Shape.All.Where(s => s.Name.StartsWith("503", StringComparison.Ordinal))];
        Shape[] random = [.. Shape.All.Where(s => s.Name is "10 % fail at random" or "20 % fail at random")];
        var silent = Shape.All.Single(s => s.Name == "silent for 5 s");
        var flapping = Shape.All.Single(s => s.Name.StartsWith("flapping", StringComparison.Ordinal));
        (Shape Shape, ShapeClient Client)[] pairs =
        [
            .. unavailable.Concat(random).Append(silent).Append(flapping).Select(s => (s, ShapeClient.Ours)),
            .. random.Select(s => (s, ShapeClient.BudgetOnly)), (flapping, ShapeClient.Naive),
        ];
        var runs = pairs.SelectMany(pair => seeds.Select(seed => (Pair: pair, Seed: seed))).ToArray();
        var results = Simulations.Run(
            [.. runs.Select(r => (Func<ShapeResult>)(() => r.Pair.Client.Run(r.Pair.Shape, Load, r.Seed)))], progress);
        var by = runs.Zip(results).GroupBy(r => r.First.Pair).ToDictionary(g => g.Key, g => g.Select(r => r.Second).ToArray());
        ShapeResult[] Ours(Shape shape) => by[(shape, ShapeClient.Ours)];

        foreach (var shape in unavailable.Take(2))
        {
            yield return new($"{shape.Name}: failed in it and after it", 10, [.. Ours(shape).Select(r => r.In.Failed + r.After.Failed)]);
            yield return new($"{shape.Name}: p95 of a call that began in it, s", 8, [.. Ours(shape).Select(r => r.In.P95)]);
            yield return new($"{shape.Name}: longest call, s", 12, [.. Ours(shape).Select(r => Math.Max(r.In.Max, r.After.Max))]);
        }

        foreach (var group in unavailable.GroupBy(s => s.Group))
        {
            yield return new($"{group.Key}: load in the worst second after it", 1.5,
                [.. seeds.Select((_, i) => group.Average(shape => Ours(shape)[i].WorstAfter))]);
        }

        yield return new("503 for 20.5–57.5 s: failed after it, seconds of load", 10,
            [.. seeds.Select((_, i) => unavailable.Where(s => s.Group != s.Name).Average(s => Ours(s)[i].After.Failed) / Load.Normal)]);
        foreach (var shape in random)
        {
            double without = by[(shape, ShapeClient.BudgetOnly)].Sum(r => r.In.Failed);
            yield return new($"{shape.Name}: failures of all seeds beyond those without a circuit, %", 2,
                [100 * (Ours(shape).Sum(r => r.In.Failed) - without) / without]);
        }

        yield return new($"{silent.Name}: failed after it", 0, [.. Ours(silent).Select(r => r.After.Failed)]);
        yield return new($"{flapping.Name}: failed, as a share of what three retries at once lose", 0.5,
            [.. Ours(flapping).Zip(by[(flapping, ShapeClient.Naive)], (ours, naive) => ours.In.Failed / naive.In.Failed)]);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
