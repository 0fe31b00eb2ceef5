namespace HttpResilience;

/// <summary>Why no further attempt was made. Every call that has ended has exactly one.</summary>
public enum StopReason
{
    /// <summary>The call has not ended yet.</summary>
    None,

    /// <summary>The last attempt succeeded.</summary>
    Succeeded,

    /// <summary>The request had been processed after all: the <see cref="IReconciler"/> found what it had made, and that is the answer.</summary>
    Reconciled,

    /// <summary>A call with the same idempotency key has ended before: its response is the answer, nothing was sent (<c>Idempotency:RememberFor</c>).</summary>
    Replayed,

    /// <summary>
    /// A call with the same idempotency key was sent before, and nobody knows what became of it; sending it again might do it twice
    /// (<see cref="IdempotencyKeyInDoubtException"/>).
    /// </summary>
    KeyInDoubt,

    /// <summary>Sending the same again cannot help, or the server said not to.</summary>
    NotRetryable,

    /// <summary>The request may have been processed, its method is not idempotent (RFC 9110 §9.2.2), and it carries no idempotency key.</summary>
    UnsafeMethod,

    /// <summary>
    /// The request may have been processed, its method is not idempotent, and the next attempt would have come when the API no longer knows its
    /// idempotency key (<c>Idempotency:KeyLifetime</c>).
    /// </summary>
    KeyExpired,

    /// <summary><c>Retry:MaxRetryAttempts</c> was reached.</summary>
    AttemptsExhausted,

    /// <summary>The request body was a stream that can be read only once and was too long to keep (<c>Retry:MaxReplayBodyBytes</c>).</summary>
    BodyNotReplayable,

    /// <summary>The server asked to wait longer than <c>Retry:MaxRetryAfter</c>.</summary>
    RetryAfterTooLong,

    /// <summary>The next attempt would have begun after the deadline (<c>TotalRequestTimeout</c>), so it was not waited for.</summary>
    DeadlineWouldPass,

    /// <summary>The deadline (<c>TotalRequestTimeout</c>) ended an attempt.</summary>
    DeadlinePassed,

    /// <summary>The circuit of the host is open.</summary>
    CircuitOpen,

    /// <summary>Retries have added to the load of the host what they may (<c>Retry:Budget</c>).</summary>
    BudgetExhausted,

    /// <summary>The host asked to be left alone for longer than the call can wait, or the client's own limit for it was reached (<c>RateLimiter</c>).</summary>
    RateLimited,

    /// <summary>The integration is paused: its error budget is used up, or somebody has paused it (<see cref="IntegrationPausedException"/>). Nothing was sent.</summary>
    IntegrationPaused,

    /// <summary>The caller cancelled the call.</summary>
    Cancelled,
}
