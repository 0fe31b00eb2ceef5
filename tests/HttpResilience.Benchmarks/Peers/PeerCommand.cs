using HttpResilience.Peers;

namespace HttpResilience.Benchmarks;

/// <summary><c>points</c>: runs all points with both packages and writes the table into a page.</summary>
internal static class PeerCommand
{
    internal static async Task<int> RunAsync(CommandOptions options)
    {
        List<(Point Point, Seen Microsoft, Seen Ours)> rows = [];
        foreach (var point in Points.All)
            rows.Add((point, await point.SeeAsync(Peer.Microsoft), await point.SeeAsync(Peer.Ours)));

        string table = PeerTable.Of(rows);
        Console.WriteLine(table);
        string output = options.Output ?? Path.Combine("docs", "compared.md");
        await File.WriteAllTextAsync(output, PeerTable.Replace(await File.ReadAllTextAsync(output), table));
        foreach (var (point, microsoft, _) in rows.Where(r => r.Microsoft.Fact != r.Point.Microsoft))
            Console.WriteLine($"{point.Number}: Microsoft's was '{microsoft}', is known as '{point.Microsoft}'");
        foreach (var (point, _, ours) in rows.Where(r => r.Ours.Fact != r.Point.Ours))
            Console.WriteLine($"{point.Number}: ours was '{ours}', must be '{point.Ours}'");
        Console.WriteLine($"page: {output}");
        return rows.TrueForAll(r => r.Ours.Fact == r.Point.Ours) ? 0 : 1;
    }
}
