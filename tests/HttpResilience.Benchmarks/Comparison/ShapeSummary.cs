using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>The shapes as tables with a column for each client: failed calls, load at the host, and the time of calls.</summary>
internal static class ShapeSummary
{
    internal static string Of(IReadOnlyList<ShapeCell> cells) => string.Join('\n',
        "Calls that failed: of those that began while the host failed, and of those after it. The fewest of a row are bold.\n",
        Table(cells, r => Text($"{r.In.Failed:N0} / {r.After.Failed:N0}"), FailuresOf, new("of calls", r => Text($"{r.In.Calls:N0}"))),
        "Requests at the host, as a multiple of the normal load: mean while it fails, and the worst second after it.\n",
        Table(cells, r => Text($"{r.MeanIn:0.00} / {r.WorstAfter:0.00}")),
        "Seconds that the calls took that began while the host failed, failed ones too: the 95th percentile, and the longest.\n",
        Table(cells, r => Text($"{r.In.P95:0.00} / {r.In.Max:0.0}")));

    internal static double FailuresOf(ShapeResult result) => result.In.Failed + result.After.Failed;

    /// <param name="cells">A row for each shape.</param>
    /// <param name="cell">The text of a cell.</param>
    /// <param name="figure">The figure of which the smallest in a row is bold; null for none.</param>
    /// <param name="last">A column that is the same for all clients; null for none.</param>
    private static string Table(
        IReadOnlyList<ShapeCell> cells, Func<ShapeResult, string> cell, Func<ShapeResult, double>? figure = null, LastColumn? last = null)
    {
        return MarkdownTable.Of(
            [
                new("the host"), .. cells.Select(c => c.Client.Name).Distinct().Select(name => new Column(name, IsNumber: true)),
                .. last is null ? (Column[])[] : [new(last.Name, IsNumber: true)],
            ],
            cells.GroupBy(c => c.Group).Select(Row));

        IEnumerable<string> Row(IGrouping<string, ShapeCell> row)
        {
            double? least = figure is null ? null : row.Min(c => figure(c.Result));
            return
            [
                row.Key, .. row.Select(c => figure?.Invoke(c.Result) <= least ? $"**{cell(c.Result)}**" : cell(c.Result)),
                .. last is null ? (string[])[] : [last.Cell(row.First().Result)],
            ];
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record LastColumn(string Name, Func<ShapeResult, string> Cell);
}
