namespace HttpResilience.Benchmarks;

/// <summary>The first call to each of many hosts, fewer than <c>MaxCircuits</c>: its time, and the bytes that are kept for each.</summary>
internal sealed class NewHostScenario() : CostScenario("first call to a new host (bytes: kept)")
{
    private const int Hosts = 9000;

    private readonly Uri[] _uris = NewHosts.Make(Hosts);

    // A round is long, and its clients are new.
    internal override CostRow Measure(int rounds) =>
        new(this, CostRounds.Measure(Enum.GetValues<CostPeer>().ToDictionary(peer => peer, Block), Math.Max(1, rounds / 5)));

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
