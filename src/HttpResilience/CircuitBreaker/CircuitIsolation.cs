namespace HttpResilience;

/// <summary>The scope of a circuit.</summary>
public enum CircuitIsolation
{
    /// <summary>For each scheme, host and port.</summary>
    Authority,

    /// <summary>
    /// For each scheme, host and port, and for each tenant's part of it. A tenant whose calls fail opens its own circuit and does not
    /// affect others; the host's circuit opens when calls of different tenants, or calls without one, fail.
    /// </summary>
    AuthorityAndTenant,
}
