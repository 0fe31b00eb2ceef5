namespace HttpResilience;

/// <summary>What a response or an exception means: what kind of failure it is, and what follows from that.</summary>
/// <param name="FailureClass">The kind. <see cref="FailureClass.None"/> for a success.</param>
public readonly record struct FailureClassification(FailureClass FailureClass)
{
    /// <summary>Sending the same again may help. Default: for <see cref="FailureClass.Transient"/>, <see cref="FailureClass.ServerError"/> and <see cref="FailureClass.RateLimited"/>.</summary>
    public bool IsRetryable { get; init; } = FailureClass is FailureClass.Transient or FailureClass.ServerError or FailureClass.RateLimited;

    /// <summary>
    /// The server may have acted on the request, so that only what is idempotent (RFC 9110 §9.2.2) or keyed is sent again. Default: for
    /// <see cref="FailureClass.Transient"/> and <see cref="FailureClass.ServerError"/>.
    /// </summary>
    public bool MayHaveBeenProcessed { get; init; } = FailureClass is FailureClass.Transient or FailureClass.ServerError;

    /// <summary>The circuit counts it as a failure of the host. Default: for <see cref="FailureClass.Transient"/> and <see cref="FailureClass.ServerError"/>.</summary>
    public bool CountsAgainstCircuit { get; init; } = FailureClass is FailureClass.Transient or FailureClass.ServerError;

    /// <summary>How long the server asks to wait. Null or zero: it does not ask, the backoff applies. Default null.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
