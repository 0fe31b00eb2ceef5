using System.Globalization;
using System.Text;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>The shapes as tables with a column for each client: failed calls, load at the host, and the time of calls.</summary>
internal static class ShapeSummary
{
    internal static string Of(IReadOnlyList<ShapeCell> cells)
    {
        ShapeClient[] clients = [.. cells.Select(c => c.Client).Distinct()];
        var text = new StringBuilder();
        AddTable(
            "Calls that failed: of those that began while the host failed, and of those after it. The fewest of a line are bold.",
            r => Text($"{r.In.Failed:N0} / {r.After.Failed:N0}"), FailuresOf, ("of calls", r => Text($"{r.In.Calls:N0}")));
        AddTable(
            "Requests at the host, as a multiple of the normal load: mean while it fails, and the worst second after it.",
            r => Text($"{r.MeanIn:0.00} / {r.WorstAfter:0.00}"));
        AddTable(
            "Seconds that the calls took that began while the host failed, failed ones too: the 95th percentile, and the longest.",
            r => Text($"{r.In.P95:0.00} / {r.In.Max:0.0}"));
        return text.ToString();

        void AddTable(
            string caption, Func<ShapeResult, string> cell, Func<ShapeResult, double>? leastIsBest = null,
            (string Name, Func<ShapeResult, string> Cell)? last = null)
        {
            string more = last is null ? "" : $" {last.Value.Name} |";
            text.Append(text.Length > 0 ? "\n" : "").Append($"{caption}\n\n| the host | {string.Join(" | ", clients.Select(c => c.Name))} |{more}\n");
            text.Append($"|---{string.Concat(clients.Select(_ => "|--:"))}|{(last is null ? "" : "--:|")}\n");
            foreach (var row in cells.GroupBy(c => c.Group))
            {
                double least = leastIsBest is null ? double.NaN : row.Min(c => leastIsBest(c.Result));
                var results = row.Select(c =>
                    leastIsBest is not null && leastIsBest(c.Result) <= least ? $"**{cell(c.Result)}**" : cell(c.Result));
                text.Append($"| {row.Key} | {string.Join(" | ", results)} |{(last is null ? "" : $" {last.Value.Cell(row.First().Result)} |")}\n");
            }
        }
    }

    internal static double FailuresOf(ShapeResult result) => result.In.Failed + result.After.Failed;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
