namespace HttpResilience.Benchmarks;

/// <summary>A line of the table.</summary>
/// <param name="Scenario">What was measured.</param>
/// <param name="Bare">A call of the bare client, or the floor.</param>
/// <param name="Added">What the other clients add to it.</param>
internal sealed record CostRow(CostScenario Scenario, Cost Bare, IReadOnlyDictionary<CostPeer, Cost> Added)
{
    internal CostRow(CostScenario scenario, Dictionary<CostPeer, Cost> measured)
        : this(scenario, measured[CostPeer.Bare], measured.Where(m => m.Key is not CostPeer.Bare).ToDictionary())
    {
    }

    internal Cost Ours => Added[CostPeer.Ours];

    /// <summary>The longest call of a round in nanoseconds, and that of all rounds, where single calls are measured.</summary>
    internal (double Median, double Worst)? Longest { get; init; }

    internal Cost? Of(CostPeer peer) => Added.TryGetValue(peer, out var cost) ? cost : null;

    /// <summary>The time that ours adds, as a share of what the peer adds.</summary>
    internal double? ShareOf(CostPeer peer) => Of(peer) is { } other ? Ours.Nanoseconds / other.Nanoseconds : null;
}
