namespace HttpResilience;

/// <summary>The state of a circuit. The values are Polly's.</summary>
public enum CircuitState
{
    /// <summary>Attempts are admitted.</summary>
    Closed,

    /// <summary>Attempts are rejected.</summary>
    Open,

    /// <summary>A few probes are admitted, to check whether the host has recovered.</summary>
    HalfOpen,

    /// <summary>Attempts are rejected until an operator closes the circuit (<see cref="ICircuits"/>).</summary>
    Isolated,
}
