using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>Calls to one host that succeed.</summary>
internal sealed class CallScenario(string name, RequestKind kind = RequestKind.Get) : CostScenario(name)
{
    private const int Calls = 2000;

    /// <summary>Whether calls suspend while they wait for the response.</summary>
    internal bool Suspends { get; init; } = true;

    /// <summary>How many calls of a thread are in flight at once.</summary>
    internal int InFlight { get; init; } = 1;

    /// <summary>How many threads make calls at once.</summary>
    internal int Threads { get; init; } = 1;

    internal ClientSettings Settings { get; init; } = new();

    internal IReadOnlyList<HttpStatusCode> Statuses { get; init; } = [HttpStatusCode.OK];

    internal override bool IsPlotted => true;

    // More calls than these are in a round only when they are in flight at once; there are then fewer rounds.
    private int CallsInRound => Math.Max(Calls, InFlight);

    internal override CostRow Measure(int rounds)
    {
        using var clients = new Clients(() => new Stub(Suspends, [.. Statuses]), Settings);
        return new(this, CostRounds.Measure(
            Settings.Peers.ToDictionary(peer => peer, peer => Block(clients, peer)),
            Math.Max(1, rounds * Calls / CallsInRound)));
    }

    private Func<Cost> Block(Clients clients, CostPeer peer)
    {
        var client = clients.Create(peer);
        var load = new Load(client, KindFor(peer), InFlight);
        return Threads == 1 ? () => Block(load, peer) : () => OnThreads(client, peer);
    }

    private Cost Block(Load load, CostPeer peer)
    {
        int calls = CallsInRound;
        int successes = 0;

        // The bare client makes a call of its own for each attempt.
        var cost = Cost.OfThread(calls, () => successes = load.Run(peer is CostPeer.Bare ? calls * Statuses.Count : calls));
        return successes == calls ? cost
            : throw new InvalidOperationException($"{Name}: {successes} of {calls} calls of {peer} succeeded.");
    }

    private Cost OnThreads(HttpClient client, CostPeer peer)
    {
        using var begin = new Barrier(Threads);
        Task<Cost>[] threads = [.. Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(Run, TaskCreationOptions.LongRunning))];
        Task.WaitAll(threads);
        return new(threads.Average(t => t.Result.Nanoseconds), threads.Average(t => t.Result.Bytes));

        Cost Run()
        {
            var load = new Load(client, KindFor(peer), InFlight);

            // What the thread keeps for its next call is not there yet.
            load.Run(Calls / 10);
            begin.SignalAndWait();
            return Block(load, peer);
        }
    }

    // Ours makes the key itself, and only ours knows tenants.
    private RequestKind KindFor(CostPeer peer) => (kind, peer) switch
    {
        (RequestKind.PostWithKey, CostPeer.Ours) => RequestKind.Post,
        (RequestKind.GetForTenant, not CostPeer.Ours) => RequestKind.Get,
        _ => kind,
    };
}
