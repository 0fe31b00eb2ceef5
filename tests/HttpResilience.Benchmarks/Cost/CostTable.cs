using System.Globalization;

namespace HttpResilience.Benchmarks;

/// <summary>The table of the docs.</summary>
internal static class CostTable
{
    private static readonly CostPeer[] Peers = [CostPeer.Ours, CostPeer.Polly, CostPeer.Microsoft, CostPeer.Refit];

    internal static string Of(IReadOnlyList<CostRow> rows)
    {
        CostPeer[] peers = [.. Peers.Where(peer => rows.Any(r => r.Of(peer) is not null))];
        return MarkdownTable.Of(
            [
                new("work, ns / B of a call"), new("bare", IsNumber: true),
                .. peers.Select(peer => new Column(NameOf(peer), IsNumber: true)),
                new("ours / Polly", IsNumber: true), new("ours / Microsoft", IsNumber: true), new("goal"), new("met"),
            ],
            rows.Select(row => (IEnumerable<string>)
            [
                row.Scenario.Name, Text($"{row.Bare.Nanoseconds:#,0} / {Math.Max(0, row.Bare.Bytes):#,0}"),
                .. peers.Select(peer => Cell(row, peer)),
                Text($"{row.ShareOf(CostPeer.Polly):0.00}"), Text($"{row.ShareOf(CostPeer.Microsoft):0.00}"),
                string.Join("; ", row.Scenario.Goals.Select(g => g.Text)), Met(row, rows),
            ]));
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
