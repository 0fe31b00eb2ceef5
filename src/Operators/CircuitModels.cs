using System.Text.Json.Serialization;

namespace HttpResilience.Operators;

/// <summary>Who held a host back or let it through, when and why.</summary>
internal sealed record HoldModel(string By, DateTimeOffset At, string? Note)
{
    internal static HoldModel Of(CircuitHold hold)
    {
        ArgumentNullException.ThrowIfNull(hold);
        return new(hold.By, hold.At, hold.Note);
    }
}

/// <summary>A host of a client, or a tenant's part of it, on all instances.</summary>
internal sealed record CircuitModel
{
    public required string Client { get; init; }

    /// <summary>Scheme, host and port.</summary>
    public required string Host { get; init; }

    public string? Tenant { get; init; }

    /// <summary>isolated when it is held back, else the worst that an instance reports.</summary>
    public required string Circuit { get; init; }

    public required string CircuitText { get; init; }

    /// <summary>Who holds it back on all instances; null when nobody does.</summary>
    public HoldModel? Hold { get; init; }

    /// <summary>Who let it through last; null when nobody did within a week, or it is held back.</summary>
    public HoldModel? LetThrough { get; init; }

    public required IReadOnlyList<InstanceCircuitModel> Instances { get; init; }

    internal static CircuitModel Of(SharedCircuit circuit, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        var change = circuit.LastChange is { } last ? HoldModel.Of(last) : null;
        return new()
        {
            Client = circuit.ClientName,
            Host = circuit.Authority,
            Tenant = circuit.Tenant,
            Circuit = LetterWords.Of(circuit.State),
            CircuitText = LetterWords.Text(circuit.State),
            Hold = circuit.IsHeld ? change : null,
            LetThrough = circuit.IsHeld ? null : change,
            Instances = [.. circuit.Instances.Select(i => InstanceCircuitModel.Of(i, now))],
        };
    }
}

/// <summary>A circuit as an instance reports it.</summary>
internal sealed record InstanceCircuitModel
{
    /// <summary>Machine and process.</summary>
    public required string Instance { get; init; }

    public required string Circuit { get; init; }

    public required string CircuitText { get; init; }

    /// <summary>When it left the closed state.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>How long nothing is sent; null unless it is open.</summary>
    public double? OpenForSeconds { get; init; }

    public required DateTimeOffset SeenAt { get; init; }

    /// <summary>For how long the instance has not been seen, from 30 seconds on.</summary>
    public double? NotSeenForSeconds { get; init; }

    internal static InstanceCircuitModel Of(CircuitOfInstance reported, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(reported);
        var (instance, circuit) = (reported.Instance, reported.Circuit);
        return new()
        {
            Instance = instance.Name,
            Circuit = LetterWords.Of(circuit.State),
            CircuitText = LetterWords.Text(circuit.State),
            Since = circuit.Since,
            OpenForSeconds = circuit.OpenFor?.TotalSeconds,
            SeenAt = instance.SeenAt,
            NotSeenForSeconds = InstanceModel.NotSeenFor(instance.SeenAt, now),
        };
    }
}

/// <summary>Circuits of all instances: what is held back first, then what is not closed.</summary>
/// <param name="Circuits">The circuits.</param>
/// <param name="More">How many circuits the instances have besides, of all clients; those are closed unless there are very many.</param>
/// <param name="Instances">The instances that are there: seen within 30 seconds.</param>
internal sealed record CircuitList(IReadOnlyList<CircuitModel> Circuits, long More, IReadOnlyList<string> Instances)
{
    internal static async Task<CircuitList> LoadAsync(
        CircuitHolds holds, string? client, string? authority, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(holds);
        var circuits = await holds.ListAsync(client, cancellationToken).ConfigureAwait(false);
        var instances = await holds.InstancesAsync(cancellationToken).ConfigureAwait(false);
        return new(
            [.. circuits.Where(c => authority is null || c.Authority == authority).Select(c => CircuitModel.Of(c, now))],
            instances.Sum(i => (long)(i.Report?.OtherCircuits ?? 0)),
            [.. instances.Where(i => InstanceModel.NotSeenFor(i.SeenAt, now) is null).Select(i => i.Name)]);
    }

    /// <summary>The circuit after a change.</summary>
    internal static async Task<CircuitModel> LoadAsync(
        CircuitHolds holds, CircuitHold change, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(holds);
        ArgumentNullException.ThrowIfNull(change);
        var circuits = await holds.ListAsync(change.ClientName, cancellationToken).ConfigureAwait(false);
        var circuit = circuits.FirstOrDefault(c => (c.Authority, c.Tenant) == (change.Authority, change.Tenant));
        return CircuitModel.Of(
            new(change.ClientName, change.Authority, change.Tenant, change, circuit?.Instances ?? []), now);
    }
}

/// <summary>Holds a host back on all instances, or lets it through.</summary>
/// <param name="Client">The client.</param>
/// <param name="Host">Scheme, host and port; https without a scheme.</param>
/// <param name="Tenant">Only this tenant's part of it; null for all of it.</param>
/// <param name="Note">Why; null for nothing.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CircuitRequest(string? Client = null, string? Host = null, string? Tenant = null, string? Note = null);
