namespace HttpResilience;

/// <summary>The state of a circuit. The values are Polly's.</summary>
public enum CircuitState
{
    /// <summary>Everything is let through.</summary>
    Closed,

    /// <summary>Nothing is let through.</summary>
    Open,

    /// <summary>A few probes are let through, to find out whether the host is well again.</summary>
    HalfOpen,

    /// <summary>Nothing is let through until somebody closes the circuit by hand (<see cref="ICircuits"/>).</summary>
    Isolated,
}
