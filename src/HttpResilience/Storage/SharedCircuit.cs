namespace HttpResilience.Storage;

/// <summary>A host of a client, or a tenant's part of it, on all instances of the application.</summary>
/// <param name="ClientName">The client.</param>
/// <param name="Authority">Scheme, host and port.</param>
/// <param name="Tenant">The tenant whose part of the host it is; null for the host itself.</param>
/// <param name="LastChange">How a person last held it back or let it through; null when nobody did of late.</param>
/// <param name="Instances">
/// What the instances report. Empty for a host that is held before any instance has applied it.
/// </param>
public sealed record SharedCircuit(
    string ClientName, string Authority, string? Tenant, CircuitHold? LastChange, IReadOnlyList<CircuitOfInstance> Instances)
{
    /// <summary>Whether it is held back on all instances.</summary>
    public bool IsHeld => LastChange is { IsHeld: true };

    /// <summary>
    /// The state for people: isolated when it is held; else the worst that an instance reports (isolated, open, half-open, closed).
    /// </summary>
    public CircuitState State => IsHeld ? CircuitState.Isolated
        : Instances.Select(i => i.Circuit.State).DefaultIfEmpty(CircuitState.Closed).MinBy(RankOf);

    /// <summary>What needs a person comes first.</summary>
    internal static int RankOf(CircuitState state) => state switch
    {
        CircuitState.Isolated => 0,
        CircuitState.Open => 1,
        CircuitState.HalfOpen => 2,
        _ => 3,
    };
}

/// <summary>A circuit as an instance reports it.</summary>
/// <param name="Instance">The instance, and when it was seen last.</param>
/// <param name="Circuit">Its circuit, as it was then.</param>
public sealed record CircuitOfInstance(StorageInstance Instance, ReportedCircuit Circuit);
