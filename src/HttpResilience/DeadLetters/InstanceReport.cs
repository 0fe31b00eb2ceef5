namespace HttpResilience.Storage;

/// <summary>What a process tells others of its clients, in its row of the store.</summary>
public sealed record InstanceReport
{
    /// <summary>The most circuits of a report.</summary>
    public const int MaxCircuits = 200;

    /// <summary>How many calls are under way. Default 0.</summary>
    public int CallsUnderWay { get; init; }

    /// <summary>Its clients whose circuits reject calls. Default: none.</summary>
    public IReadOnlyList<string> Clients { get; init; } = [];

    /// <summary>
    /// Its circuits: those that are not closed first, <see cref="MaxCircuits"/> at most. Default: none.
    /// </summary>
    public IReadOnlyList<ReportedCircuit> Circuits { get; init; } = [];

    /// <summary>How many circuits it has besides. Default 0.</summary>
    public int OtherCircuits { get; init; }
}
