namespace HttpResilience;

/// <summary>Whether the limit of concurrent attempts finds itself.</summary>
public enum ConcurrencyMode
{
    /// <summary>There is no such limit.</summary>
    Off,

    /// <summary>
    /// Each host has a limit that follows what it can bear: it falls when the host is overloaded or its answers begin to queue, and grows
    /// while attempts need it and the host answers as fast as ever.
    /// </summary>
    Adaptive,
}
