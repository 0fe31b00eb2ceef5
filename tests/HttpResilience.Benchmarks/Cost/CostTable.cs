using System.Globalization;
using System.Text;

namespace HttpResilience.Benchmarks;

/// <summary>The table of the docs.</summary>
internal static class CostTable
{
    private static readonly CostPeer[] Peers = [CostPeer.Ours, CostPeer.Polly, CostPeer.Microsoft, CostPeer.Refit];

    internal static string Of(IReadOnlyList<CostRow> rows)
    {
        CostPeer[] peers = [.. Peers.Where(peer => rows.Any(r => r.Of(peer) is not null))];
        var table = new StringBuilder();
        AddRow(["work, ns / B of a call", "bare", .. peers.Select(NameOf), "ours / Polly", "ours / Microsoft", "goal", "met"]);
        AddRow(["---", "--:", .. peers.Select(_ => "--:"), "--:", "--:", "---", "---"], space: "");
        foreach (var row in rows)
        {
            AddRow([
                row.Scenario.Name, Text($"{row.Bare.Nanoseconds:#,0} / {Math.Max(0, row.Bare.Bytes):#,0}"),
                .. peers.Select(peer => Cell(row, peer)),
                Text($"{row.ShareOf(CostPeer.Polly):0.00}"), Text($"{row.ShareOf(CostPeer.Microsoft):0.00}"),
                string.Join("; ", row.Scenario.Goals.Select(g => g.Text)), Met(row, rows),
            ]);
        }

        return table.ToString();

        void AddRow(string[] cells, string space = " ") =>
            table.Append($"|{space}{string.Join($"{space}|{space}", cells)}{space}|\n");
    }

    private static string NameOf(CostPeer peer) => peer is CostPeer.Ours ? "ours" : peer.ToString();

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
