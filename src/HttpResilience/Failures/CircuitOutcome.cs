namespace HttpResilience;

/// <summary>What an attempt says about the health of the host behind a circuit.</summary>
internal enum CircuitOutcome
{
    /// <summary>The host answered, be it with a refusal.</summary>
    Success,

    /// <summary>The host failed.</summary>
    Failure,

    /// <summary>Says nothing about the host: the caller went away, or the request never could have been sent.</summary>
    Neutral,
}
