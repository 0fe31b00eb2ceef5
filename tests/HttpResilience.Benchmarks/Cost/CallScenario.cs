using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>Calls to one host that succeed.</summary>
internal sealed class CallScenario(string name, RequestKind kind = RequestKind.Get) : CostScenario(name)
{
    private const int Calls = 2000;

    /// <summary>Whether calls suspend while they wait for the response.</summary>
    internal bool Suspends { get; init; } = true;

    internal int InFlight { get; init; } = 1;

    internal ClientSettings Settings { get; init; } = new();

    internal IReadOnlyList<HttpStatusCode> Statuses { get; init; } = [HttpStatusCode.OK];

    internal override CostRow Measure(int rounds)
    {
        using var clients = new Clients(() => new Stub(Suspends, [.. Statuses]), Settings);
        return new(this, CostRounds.Measure(Enum.GetValues<CostPeer>().ToDictionary(peer => peer, peer => Block(clients, peer)), rounds));
    }

    private Func<Cost> Block(Clients clients, CostPeer peer)
    {
        var load = new Load(clients.Create(peer), KindFor(peer), InFlight);
        int calls = Math.Max(Calls, InFlight);

        // The bare client makes a call of its own for each attempt.
        int sent = peer is CostPeer.Bare ? calls * Statuses.Count : calls;
        return () =>
        {
            int successes = 0;
            var cost = Cost.OfThread(calls, () => successes = load.Run(sent));
            return successes == calls ? cost
                : throw new InvalidOperationException($"{Name}: {successes} of {calls} calls of {peer} succeeded.");
        };
    }

    // Ours makes the key itself, and only ours knows tenants.
    private RequestKind KindFor(CostPeer peer) => (kind, peer) switch
    {
        (RequestKind.PostWithKey, CostPeer.Ours) => RequestKind.Post,
        (RequestKind.GetForTenant, not CostPeer.Ours) => RequestKind.Get,
        _ => kind,
    };
}
