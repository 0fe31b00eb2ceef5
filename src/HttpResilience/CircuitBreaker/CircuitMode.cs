namespace HttpResilience;

/// <summary>What an open circuit does.</summary>
public enum CircuitMode
{
    /// <summary>It rejects calls, or has them wait.</summary>
    Enforce,

    /// <summary>
    /// It lets every call through, and reports its changes of state to log and metrics as if it did not: for trying settings on real calls.
    /// </summary>
    Observe,
}
