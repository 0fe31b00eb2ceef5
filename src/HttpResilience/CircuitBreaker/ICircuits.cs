namespace HttpResilience;

/// <summary>The circuits of all clients, for operators: to look at, to open and to close by hand. Take it from the container.</summary>
public interface ICircuits
{
    /// <summary>The circuits that are kept, of all clients or of one.</summary>
    /// <param name="clientName">The client; null for all.</param>
    IReadOnlyList<CircuitInfo> List(string? clientName = null);

    /// <summary>Lets nothing through to a host until <see cref="Close"/>. Holds for hosts that were never called, too.</summary>
    /// <param name="clientName">The client.</param>
    /// <param name="authority">Scheme, host and port, such as <c>https://api.example.com</c>.</param>
    /// <param name="tenant">Only this tenant's part of the host; null for all of it.</param>
    /// <exception cref="ArgumentException">There is no such client, or <paramref name="authority"/> is not an absolute http or https URI.</exception>
    void Isolate(string clientName, Uri authority, string? tenant = null);

    /// <summary>Closes a circuit, whatever its state, and forgets the failures that were counted.</summary>
    /// <inheritdoc cref="Isolate"/>
    void Close(string clientName, Uri authority, string? tenant = null);
}

/// <summary>One circuit.</summary>
/// <param name="ClientName">The client that keeps it.</param>
/// <param name="Authority">Scheme, host and port.</param>
/// <param name="Tenant">The tenant whose part of the host it is; null for the host's own.</param>
/// <param name="State">Its state.</param>
/// <param name="OpenFor">How long nothing is let through yet; null unless it is open.</param>
public sealed record CircuitInfo(string ClientName, string Authority, string? Tenant, CircuitState State, TimeSpan? OpenFor);
