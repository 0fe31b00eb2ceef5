namespace HttpResilience.Storage;

/// <summary>A circuit of a process, as it was when the process reported it.</summary>
public sealed record ReportedCircuit
{
    /// <summary>The client that keeps it.</summary>
    public required string ClientName { get; init; }

    /// <summary>Scheme, host and port.</summary>
    public required string Authority { get; init; }

    /// <summary>The tenant whose part of the host it is; null for the host's own.</summary>
    public string? Tenant { get; init; }

    /// <summary>Its state.</summary>
    public required CircuitState State { get; init; }

    /// <summary>When it left the closed state; null while it is closed.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>How long attempts are still rejected; null unless it is open.</summary>
    public TimeSpan? OpenFor { get; init; }
}
