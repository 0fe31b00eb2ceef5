using HttpResilience.Peers;

namespace HttpResilience.Benchmarks;

/// <summary>The points: the same faults with each package, over real sockets.</summary>
internal static class PointsPart
{
    internal static async Task<ComparisonResult> RunAsync()
    {
        List<(Point Point, IReadOnlyList<Seen> Seen)> rows = [];
        foreach (var point in Points.All)
        {
            Console.Error.WriteLine($"{rows.Count + 1} of {Points.All.Count}: {point.Sentence}");
            List<Seen> seen = [];
            foreach (var peer in Peer.All)
                seen.Add(await point.SeeAsync(peer));
            rows.Add((point, seen));
        }

        var unknown = rows.SelectMany(row => Peer.All.Zip(row.Seen, (peer, seen) => (row.Point, Peer: peer, Seen: seen)))
            .Where(cell => cell.Seen.Fact != cell.Point.Known.Of(cell.Peer)).ToList();
        return new($"{Environs.Line()}\n\n{PeerTable.Of(rows)}")
        {
            Differences = [.. unknown.Select(cell => $"{cell.Point.Number}, {cell.Point.Sentence}: "
                + $"{cell.Peer.Name}: '{cell.Seen}' instead of '{cell.Point.Known.Of(cell.Peer)}'")],
            IsRight = unknown.TrueForAll(cell => !cell.Peer.IsOurs),
        };
    }
}
