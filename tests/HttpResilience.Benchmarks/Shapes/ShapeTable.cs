using System.Globalization;
using System.Text;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>The result of a client in one shape, or in the mean of a group of shapes, at one load.</summary>
internal sealed record ShapeCell(string Group, ShapeLoad Load, ShapeClient Client, ShapeResult Result);

/// <summary>All shapes for all clients, as one Markdown table.</summary>
internal static class ShapeTable
{
    private const string Legend = """
        Columns: clients × calls/s of each; load at the host as a multiple of the normal one, while it fails (mean, worst second) and in
        the worst second after it (at 10 calls/s chance alone makes 1.5 to 2 of it); calls that began in that time, or after it, and failed;
        seconds that those calls took, failed ones too; calls in a delay or a queue at once; how often the circuit of a client tripped.
        """;

    /// <summary>Runs each client in each shape at each load with each seed; the results do not depend on the number of threads.</summary>
    internal static IReadOnlyList<ShapeCell> Measure(
        IReadOnlyList<Shape> shapes, IReadOnlyList<ShapeLoad> loads, IReadOnlyList<ShapeClient> clients, IReadOnlyList<int> seeds,
        Action<int, int> progress)
    {
        (Shape Shape, ShapeLoad Load, ShapeClient Client, int Seed)[] runs =
        [
            .. shapes.SelectMany(shape => loads.SelectMany(load => clients.SelectMany(client => seeds.Select(seed =>
                (shape, load, client, seed))))),
        ];
        var results = Simulations.Run(
            [.. runs.Select(r => (Func<ShapeResult>)(() => r.Client.Run(r.Shape, r.Load, r.Seed)))], progress);
        return
        [
            .. runs.Zip(results).GroupBy(r => (r.First.Shape.Group, r.First.Load, r.First.Client))
                .Select(g => new ShapeCell(g.Key.Group, g.Key.Load, g.Key.Client, ShapeResult.MeanOf([.. g.Select(r => r.Second)]))),
        ];
    }

    internal static string Seeds(IReadOnlyList<int> seeds) =>
        seeds.Count == 1 ? $"seed {seeds[0]}" : $"means of seeds {seeds[0]} to {seeds[^1]}";

    internal static string Of(IReadOnlyList<ShapeCell> cells, IReadOnlyList<int> seeds)
    {
        var table = new StringBuilder();
        table.AppendLine($"Virtual time, {Seeds(seeds)}.").AppendLine(Legend).AppendLine();
        table.AppendLine("| shape | clients | client | load: mean | worst | worst after | failed in it | failed after "
            + "| in it: p50 | p95 | p99 | max | after: p50 | p95 | p99 | max | waiting | trips |");
        table.AppendLine("|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var (group, load, client, r) in cells)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {group} | {load} | {client.Name} ");
            table.Append(CultureInfo.InvariantCulture, $"| {r.MeanIn:0.00} | {r.WorstIn:0.00} | {r.WorstAfter:0.00} ");
            foreach (var calls in (CallFigures[])[r.In, r.After])
                table.Append(CultureInfo.InvariantCulture, $"| {calls.Failed:N0} of {calls.Calls:N0} ");
            foreach (var calls in (CallFigures[])[r.In, r.After])
            {
                table.Append(
                    CultureInfo.InvariantCulture, $"| {calls.P50:0.00} | {calls.P95:0.00} | {calls.P99:0.00} | {calls.Max:0.0} ");
            }

            table.Append(CultureInfo.InvariantCulture, $"| {r.MostWaiting:N0} | {r.Trips:0.##} |").AppendLine();
        }

        return table.ToString();
    }
}
