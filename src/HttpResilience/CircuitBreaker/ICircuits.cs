namespace HttpResilience;

/// <summary>The circuits of all clients, for operators: list, isolate, close. Resolve it from the container.</summary>
public interface ICircuits
{
    /// <summary>Lists the circuits of all clients or of one.</summary>
    /// <param name="clientName">The client; null for all.</param>
    IReadOnlyList<CircuitInfo> List(string? clientName = null);

    /// <summary>Rejects all attempts to a host until <see cref="Close"/>, also to a host that was not called before.</summary>
    /// <param name="clientName">The client.</param>
    /// <param name="authority">Scheme, host and port, such as <c>https://api.example.com</c>.</param>
    /// <param name="tenant">Only this tenant's part of the host; null for all of it.</param>
    /// <exception cref="ArgumentException">
    /// There is no such client, or <paramref name="authority"/> is not an absolute http or https URI.
    /// </exception>
    void Isolate(string clientName, Uri authority, string? tenant = null);

    /// <summary>Closes a circuit in any state and resets its failure counts.</summary>
    /// <inheritdoc cref="Isolate"/>
    void Close(string clientName, Uri authority, string? tenant = null);
}

/// <summary>One circuit.</summary>
/// <param name="ClientName">The client that keeps it.</param>
/// <param name="Authority">Scheme, host and port.</param>
/// <param name="Tenant">The tenant whose part of the host it is; null for the host's own.</param>
/// <param name="State">Its state.</param>
/// <param name="OpenFor">How long attempts are still rejected; null unless it is open.</param>
public sealed record CircuitInfo(string ClientName, string Authority, string? Tenant, CircuitState State, TimeSpan? OpenFor);
