using System.Globalization;
using System.Text;

namespace HttpResilience.Benchmarks;

/// <summary>The table of the docs.</summary>
internal static class CostTable
{
    internal static string Of(IReadOnlyList<CostRow> rows)
    {
        var table = new StringBuilder()
            .Append("| work, ns / B of a call | bare | ours | Polly | Microsoft | ours / Polly | ours / Microsoft | goal | met |\n")
            .Append("|---|--:|--:|--:|--:|--:|--:|---|---|\n");
        foreach (var row in rows)
        {
            string goals = string.Join("; ", row.Scenario.Goals.Select(g => g.Text));
            table.Append(Text($"| {row.Scenario.Name} | {row.Bare.Nanoseconds:#,0} / {Math.Max(0, row.Bare.Bytes):#,0} "))
                .Append(Text($"| {Cell(row, CostPeer.Ours)} | {Cell(row, CostPeer.Polly)} | {Cell(row, CostPeer.Microsoft)} "))
                .Append(Text($"| {row.ShareOf(CostPeer.Polly):0.00} | {row.ShareOf(CostPeer.Microsoft):0.00} "))
                .Append(Text($"| {goals} | {Met(row, rows)} |\n"));
        }

        return table.ToString();
    }

    private static string Cell(CostRow row, CostPeer peer)
    {
        if (row.Of(peer) is not { } added)
            return "–";
        string longest = row.Longest is { } l && peer is CostPeer.Ours
            ? Text($", longest {l.Median / 1e6:0.00} ms (worst round {l.Worst / 1e6:0.00} ms)") : "";
        double share = added.Nanoseconds / row.Bare.Nanoseconds;
        string time = row.Scenario.Unit switch
        {
            CostUnit.Times => Text($"{1 + share:0.00} ×"),
            CostUnit.Percent => Text($"{share:+0.0 %;−0.0 %;0 %}"),
            _ => Text($"{added.Nanoseconds:+#,0;−#,0;0}"),
        };
        return Text($"{time} / {added.Bytes:+#,0;−#,0;0}{longest}");
    }

    private static string Met(CostRow row, IReadOnlyList<CostRow> rows)
    {
        bool?[] met = [.. row.Scenario.Goals.Select(g => g.IsMet(row, rows))];
        return met.Contains(false) ? "**no**" : met.Length == 0 || met.Contains(null) ? "–" : "yes";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
