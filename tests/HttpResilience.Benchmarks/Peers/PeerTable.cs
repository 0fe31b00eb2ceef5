using System.Text;
using HttpResilience.Benchmarks;

namespace HttpResilience.Peers;

/// <summary>The table of the points, with a column for each peer, as a page holds it.</summary>
internal static class PeerTable
{
    /// <summary>The part of the page.</summary>
    internal const string Part = "points";

    internal static string Of(IEnumerable<(Point Point, IReadOnlyList<Seen> Seen)> rows)
    {
        var table = new StringBuilder($"| {string.Join(" | ", Head)} |\n|---|---{string.Concat(Peer.All.Select(_ => "|---"))}|\n");
        foreach (var (point, seen) in rows)
            table.Append($"| {point.Number} | {point.Sentence} | {string.Join(" | ", seen)} |\n");
        return table.ToString();
    }

    /// <summary>The table that the known behaviour gives, by rows and cells.</summary>
    internal static IEnumerable<string[]> Known =>
    [
        [.. Head],
        .. Points.All.Select(point => (string[])[point.Number, point.Sentence, .. Peer.All.Select(point.Known.Of)]),
    ];

    /// <summary>The table of a page by rows and cells, without the measures in parentheses.</summary>
    internal static IReadOnlyList<string[]> RowsOf(MarkedPage page) =>
    [
        .. page.Part(Part).Split('\n').Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Split(" (")[0].Trim()).ToArray()),
    ];

    private static IEnumerable<string> Head => ["#", "point", .. Peer.All.Select(peer => peer.Name)];
}
