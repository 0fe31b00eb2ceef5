namespace HttpResilience;

/// <summary>The classification of a response or an exception: the kind of failure and its consequences.</summary>
/// <param name="FailureClass">The kind. <see cref="FailureClass.None"/> for a success.</param>
public readonly record struct FailureClassification(FailureClass FailureClass)
{
    /// <summary>
    /// Sending the same request again may help. Default: true for <see cref="FailureClass.Transient"/>,
    /// <see cref="FailureClass.ServerError"/> and <see cref="FailureClass.RateLimited"/>.
    /// </summary>
    public bool IsRetryable { get; init; } = FailureClass is FailureClass.Transient or FailureClass.ServerError or FailureClass.RateLimited;

    /// <summary>
    /// The server may have processed the request, so it is sent again only when it is idempotent (RFC 9110 §9.2.2) or has a key. Default:
    /// true for <see cref="FailureClass.Transient"/> and <see cref="FailureClass.ServerError"/>.
    /// </summary>
    public bool MayHaveBeenProcessed { get; init; } = FailureClass is FailureClass.Transient or FailureClass.ServerError;

    /// <summary>
    /// The circuit counts it as a failure of the host. Default: true for <see cref="FailureClass.Transient"/> and
    /// <see cref="FailureClass.ServerError"/>.
    /// </summary>
    public bool CountsAgainstCircuit { get; init; } = FailureClass is FailureClass.Transient or FailureClass.ServerError;

    /// <summary>The delay the server asks for. Null or zero: none, the backoff applies. Default null.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The wait before the next attempt of this call, in place of the backoff and without jitter; other calls to the host do not wait. A
    /// longer <see cref="RetryAfter"/> counts. Null (the backoff applies), or 0 or more; default null.
    /// </summary>
    public TimeSpan? Delay { get; init; }
}
