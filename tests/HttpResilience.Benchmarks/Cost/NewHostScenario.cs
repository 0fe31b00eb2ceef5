namespace HttpResilience.Benchmarks;

/// <summary>The first call to each of as many hosts as are kept: its time, and the bytes that are kept for each.</summary>
/// <remarks>The hash of a string is another in each process, and may make a dictionary of hosts 18 B for each larger.</remarks>
internal sealed class NewHostScenario() : CostScenario("first call to a new host (bytes: kept)")
{
    private const int Hosts = 10_000;

    // Refit's handler keeps no state of a host.
    private static readonly CostPeer[] Peers = [CostPeer.Bare, CostPeer.Ours, CostPeer.Polly, CostPeer.Microsoft];

    private readonly Uri[] _uris = NewHosts.Make(Hosts);

    // A round is long, and its clients are new.
    internal override CostRow Measure(int rounds) =>
        new(this, CostRounds.Measure(Peers.ToDictionary(peer => peer, Block), Math.Max(1, rounds / 8)));

    private Func<Cost> Block(CostPeer peer) => () =>
    {
        using var clients = NewHosts.Clients();
        var client = clients.Create(peer);
        long before = Kept();
        var time = Cost.OfThread(Hosts, () =>
        {
            foreach (var uri in _uris)
                NewHosts.Call(client, uri);
        });
        return time with { Bytes = (double)(Kept() - before) / Hosts };
    };

    private static long Kept()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: false);
    }
}
