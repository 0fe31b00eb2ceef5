namespace HttpResilience.Benchmarks;

/// <summary>Measures the peers in turn, round by round, so that whatever else the machine does meets all of them.</summary>
internal static class CostRounds
{
    private const int WarmUps = 4;

    /// <param name="blocks">For each peer, a block of calls that returns the cost of one.</param>
    /// <param name="rounds">How often each block is measured.</param>
    /// <returns>The median of the bare client, and for the others that of what they add to the bare client in the same round.</returns>
    internal static Dictionary<CostPeer, Cost> Measure(IReadOnlyDictionary<CostPeer, Func<Cost>> blocks, int rounds)
    {
        CostPeer[] peers = [.. blocks.Keys];

        // The runtime compiles a method again once nothing new has been compiled for 100 ms.
        for (int i = 0; i < WarmUps; i++)
        {
            Run(blocks, peers, Math.Max(1, rounds / WarmUps));
            Thread.Sleep(200);
        }

        GC.Collect();
        var costs = Run(blocks, peers, rounds);
        return peers.ToDictionary(peer => peer, peer => peer is CostPeer.Bare
            ? Cost.Median(costs[peer])
            : Cost.Median(costs[peer].Zip(costs[CostPeer.Bare], (cost, bare) => cost - bare)));
    }

    // Each peer has every place in the order, and both neighbours.
    private static Dictionary<CostPeer, Cost[]> Run(IReadOnlyDictionary<CostPeer, Func<Cost>> blocks, CostPeer[] peers, int rounds)
    {
        var costs = peers.ToDictionary(peer => peer, _ => new Cost[rounds]);
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < peers.Length; i++)
            {
                int place = (round + (round % 2 == 0 ? i : peers.Length - i)) % peers.Length;
                costs[peers[place]][round] = blocks[peers[place]]();
            }
        }

        return costs;
    }
}
