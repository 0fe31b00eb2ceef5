namespace HttpResilience;

/// <summary>How an ended call counts, by one table: for error budgets, for alerts about the host, and for stale responses.</summary>
/// <param name="FailureClass">The class of its failure; <see cref="FailureClass.None"/> for a success.</param>
/// <param name="StopReason">Why no further attempt was made.</param>
/// <param name="AttemptCount">How many attempts were sent; 0 when nothing was.</param>
/// <param name="StatusCode">The status of the last attempt; null when it had no response, or nothing was sent.</param>
/// <param name="IsTenantCircuitOpen">The circuit of the tenant rejected it while that of the host was closed.</param>
public readonly record struct CallOutcome(FailureClass FailureClass, StopReason StopReason, int AttemptCount, int? StatusCode,
    bool IsTenantCircuitOpen)
{
    /// <summary>How the call counts for an error budget, from the callers' view: a rejection by an open circuit is a failure too.</summary>
    public OutcomeKind Api => FailureClass switch
    {
        _ when StopReason is StopReason.Replayed or StopReason.IntegrationPaused or StopReason.KeyInDoubt => OutcomeKind.Neutral,
        FailureClass.Cancelled => OutcomeKind.Neutral,
        // The client's own limit, or a pause that the host asked for: nothing was sent.
        FailureClass.RateLimited when StopReason is StopReason.RateLimited && StatusCode is null => OutcomeKind.Neutral,
        FailureClass.Permanent => OfPermanent,
        _ => IsFailure(FailureClass) ? OutcomeKind.Failure : OutcomeKind.Success,
    };

    /// <summary>How the call counts for the host that it was sent to; <see cref="OutcomeKind.Neutral"/> when nothing was sent.</summary>
    public OutcomeKind Host => FailureClass switch
    {
        FailureClass.Cancelled => OutcomeKind.Neutral,
        _ when AttemptCount == 0 => OutcomeKind.Neutral,
        FailureClass.Permanent => OfPermanent,
        _ => IsFailure(FailureClass) ? OutcomeKind.Failure : OutcomeKind.Success,
    };

    /// <summary>The host has been failing for the tenant alone: nothing was sent because the tenant's circuit is open.</summary>
    public bool IsTenantFailure => AttemptCount == 0 && IsTenantCircuitOpen && FailureClass is not FailureClass.Cancelled;

    // A programming error or an untrusted certificate never reached the API.
    private OutcomeKind OfPermanent => StatusCode is null ? OutcomeKind.Neutral : OutcomeKind.Success;

    /// <summary>
    /// Whether a call that ended with this class failed because of the API. What is about the one request (404, 409, 422) is an answer.
    /// </summary>
    /// <param name="failureClass">The class of its failure.</param>
    public static bool IsFailure(FailureClass failureClass) => failureClass
        is FailureClass.Transient or FailureClass.ServerError or FailureClass.RateLimited or FailureClass.Authentication
            or FailureClass.Authorization;

    /// <summary>Whether the server failed or could not be reached.</summary>
    /// <param name="failureClass">The class of its failure.</param>
    public static bool IsOutage(FailureClass failureClass) => failureClass is FailureClass.Transient or FailureClass.ServerError;
}

/// <summary>A value in <see cref="CallOutcome"/>.</summary>
public enum OutcomeKind
{
    /// <summary>The call says nothing.</summary>
    Neutral,

    /// <summary>The API answered.</summary>
    Success,

    /// <summary>The API failed.</summary>
    Failure,
}
