namespace HttpResilience;

/// <summary>Why no further attempt was made. Every call that has ended has exactly one reason.</summary>
public enum StopReason
{
    /// <summary>The call has not ended yet.</summary>
    None,

    /// <summary>The last attempt succeeded.</summary>
    Succeeded,

    /// <summary>An earlier attempt had been processed: the <see cref="IReconciler"/> found its result and returned it.</summary>
    Reconciled,

    /// <summary>
    /// A call with the same idempotency key ended before: its response was returned and nothing was sent (<c>Idempotency:RememberFor</c>).
    /// </summary>
    Replayed,

    /// <summary>
    /// A call with the same idempotency key was sent before and its result is unknown; sending it again might run the operation twice
    /// (<see cref="IdempotencyKeyInDoubtException"/>).
    /// </summary>
    KeyInDoubt,

    /// <summary>Sending the same request again cannot help, or the server forbade it.</summary>
    NotRetryable,

    /// <summary>
    /// The request may have been processed, its method is not idempotent (RFC 9110 §9.2.2), and it has no idempotency key.
    /// </summary>
    UnsafeMethod,

    /// <summary>
    /// The request may have been processed, its method is not idempotent, and the API would have forgotten its idempotency key before the
    /// next attempt (<c>Idempotency:KeyLifetime</c>).
    /// </summary>
    KeyExpired,

    /// <summary><c>Retry:MaxRetryAttempts</c> was reached.</summary>
    AttemptsExhausted,

    /// <summary>
    /// The request body was a stream that can be read only once and was too long to record (<c>Retry:MaxReplayBodyBytes</c>).
    /// </summary>
    BodyNotReplayable,

    /// <summary>The server asked for a delay longer than <c>Retry:MaxRetryAfter</c>.</summary>
    RetryAfterTooLong,

    /// <summary>
    /// The next attempt would have started after the deadline (<c>TotalRequestTimeout</c>), so the call ended without the delay.
    /// </summary>
    DeadlineWouldPass,

    /// <summary>
    /// The deadline (<c>TotalRequestTimeout</c> or <see cref="HttpClient.Timeout"/>) has passed, whichever token ended the call.
    /// </summary>
    DeadlinePassed,

    /// <summary>The circuit of the host is open.</summary>
    CircuitOpen,

    /// <summary>Retries have added as much load to the host as <c>Retry:Budget</c> allows.</summary>
    BudgetExhausted,

    /// <summary>
    /// The host asked for a pause longer than the call can wait, or the client's own limit for the host is reached (<c>RateLimiter</c>,
    /// <c>Concurrency</c>).
    /// </summary>
    RateLimited,

    /// <summary>
    /// The client is paused: its error budget is exhausted, or an operator paused it (<see cref="IntegrationPausedException"/>). Nothing
    /// was sent.
    /// </summary>
    IntegrationPaused,

    /// <summary>
    /// The caller cancelled the call before its deadline, or another token of the application did: its stop token, or a timer of one of
    /// its handlers.
    /// </summary>
    Cancelled,

    /// <summary>
    /// The host stopped while the call waited for its next attempt: it ended at once and was kept as a dead letter
    /// (<c>DeadLetter:Enabled</c>).
    /// </summary>
    HostStopping,
}
