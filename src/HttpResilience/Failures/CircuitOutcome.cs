namespace HttpResilience;

/// <summary>The meaning of an attempt's result for the circuit of its host.</summary>
internal enum CircuitOutcome
{
    /// <summary>The host answered, even if with an error that is the caller's.</summary>
    Success,

    /// <summary>The host failed.</summary>
    Failure,

    /// <summary>The result says nothing about the host: the caller cancelled, or the request could not have been sent.</summary>
    Neutral,
}
