using HttpResilience.Benchmarks;

namespace HttpResilience.Peers;

/// <summary>The table of the points, with a column for each peer, as a page holds it.</summary>
internal static class PeerTable
{
    /// <summary>The part of the page.</summary>
    internal const string Part = "points";

    /// <summary>The rows that the known behaviour gives, that of the head first.</summary>
    internal static IEnumerable<string[]> Known =>
        [[.. Head], .. Points.All.Select(point => (string[])[point.Number, point.Sentence, .. Peer.All.Select(point.Known.Of)])];

    private static IEnumerable<string> Head => ["#", "point", .. Peer.All.Select(peer => peer.Name)];

    internal static string Of(IEnumerable<(Point Point, IReadOnlyList<Seen> Seen)> rows) => MarkdownTable.Of(
        Head.Select(name => new Column(name)),
        rows.Select(row => (IEnumerable<string>)[row.Point.Number, row.Point.Sentence, .. row.Seen.Select(seen => seen.ToString())]));

    /// <summary>The rows of a page, that of the head first, without the measures in parentheses.</summary>
    internal static IEnumerable<string[]> RowsOf(MarkedPage page) =>
        MarkdownTable.RowsOf(page.Part(Part)).Select(row => row.Select(cell => cell.Split(" (")[0]).ToArray());
}
