namespace HttpResilience.Benchmarks;

/// <summary>Calls to new hosts above <c>MaxCircuits</c>, so that others must be evicted: the mean, and the longest call.</summary>
/// <remarks>A call in which memory was collected is no longest one: what it pays is not its own.</remarks>
internal sealed class EvictionScenario() : CostScenario("first call to a new host above MaxCircuits")
{
    private const int Calls = 2000;

    // A host is new again when all others have been called since.
    private readonly Uri[] _uris = NewHosts.Make(30_000);
    private int _next;

    internal override CostRow Measure(int rounds)
    {
        using var clients = NewHosts.Clients();
        var (bare, ours) = (clients.Create(CostPeer.Bare), clients.Create(CostPeer.Ours));
        for (int i = 0; i < 2 * _uris.Length; i++)
            NewHosts.Call(ours, Next());
        List<double> longest = [];
        var costs = CostRounds.Measure(new Dictionary<CostPeer, Func<Cost>>
        {
            [CostPeer.Bare] = () => Cost.OfThread(Calls, () => Run(bare)),
            [CostPeer.Ours] = () => Cost.OfThread(Calls, () => Run(ours)),
        }, rounds);
        for (int round = 0; round < rounds; round++)
            longest.Add(Longest(ours));
        return new(this, costs) { Longest = (Cost.Median(longest), longest.Max()) };
    }

    private Uri Next() => _uris[_next++ % _uris.Length];

    private void Run(HttpClient client)
    {
        for (int i = 0; i < Calls; i++)
            NewHosts.Call(client, Next());
    }

    private double Longest(HttpClient client)
    {
        long longest = 0;
        for (int i = 0; i < Calls; i++)
        {
            int collections = GC.CollectionCount(0);
            long began = CpuClock.Now;
            NewHosts.Call(client, Next());
            long spent = CpuClock.Now - began;
            if (GC.CollectionCount(0) == collections)
                longest = Math.Max(longest, spent);
        }

        return longest;
    }
}
