namespace HttpResilience;

/// <summary>The next step of a keyed call, by the stored call of its key.</summary>
internal enum ResponseReplayDecision
{
    /// <summary>No other call holds the key: the call is sent.</summary>
    Send,

    /// <summary>The stored response answers the call.</summary>
    Answer,

    /// <summary>Another call with the key is in progress: its response will answer this one.</summary>
    Wait,

    /// <summary>The key belongs to another request.</summary>
    RejectReuse,

    /// <summary>The request may have been processed, and a repetition is not safe.</summary>
    RejectDoubt,
}

/// <summary>The stored outcome of a keyed call.</summary>
internal enum ResponseReplayOutcome
{
    /// <summary>The response is conclusive and stored.</summary>
    Remember,

    /// <summary>The request was certainly not processed: the key is free.</summary>
    Forget,

    /// <summary>The request may have been processed.</summary>
    LeaveInDoubt,
}

/// <summary>The rules of stored responses (<c>Idempotency:RememberFor</c>).</summary>
internal static class ResponseReplayRules
{
    /// <summary>Decides before a call is sent.</summary>
    /// <param name="known">The stored call of the key.</param>
    /// <param name="asking">The request.</param>
    /// <param name="mayBeRepeated">Whether the request may be processed twice, or the API recognises its key.</param>
    /// <param name="canBeFound">Whether an <see cref="IReconciler"/> can find out if it was processed.</param>
    internal static ResponseReplayDecision Before(RememberedCall known, RememberedRequest asking, bool mayBeRepeated, bool canBeFound)
    {
        if (known.Fingerprint != asking.Fingerprint)
            return ResponseReplayDecision.RejectReuse;
        if (known.Response is not null)
            return ResponseReplayDecision.Answer;
        if (known.Owner != asking.Owner)
            return ResponseReplayDecision.Wait;
        return !known.IsInDoubt || mayBeRepeated || canBeFound ? ResponseReplayDecision.Send : ResponseReplayDecision.RejectDoubt;
    }

    /// <summary>Decides when a call has ended.</summary>
    /// <param name="status">The status of its response; null when it ended with an exception.</param>
    /// <param name="failureClass">The failure class of the call.</param>
    /// <param name="stopReason">The reason why no further attempt was made.</param>
    /// <param name="wasSent">Whether there was an attempt.</param>
    /// <param name="mayHaveBeenProcessed">Whether an attempt, or an earlier call with the key, may have been processed.</param>
    internal static ResponseReplayOutcome After(
        int? status, FailureClass failureClass, StopReason stopReason, bool wasSent, bool mayHaveBeenProcessed)
    {
        if (IsConclusive(status, failureClass, stopReason))
            return ResponseReplayOutcome.Remember;
        if (mayHaveBeenProcessed)
            return ResponseReplayOutcome.LeaveInDoubt;
        if (!wasSent)
            return ResponseReplayOutcome.Forget;

        bool isCertain = status is null
            ? failureClass is not (FailureClass.None or FailureClass.Cancelled or FailureClass.Permanent)
            : failureClass is not FailureClass.None;
        return isCertain ? ResponseReplayOutcome.Forget : ResponseReplayOutcome.LeaveInDoubt;
    }

    private static bool IsConclusive(int? status, FailureClass failureClass, StopReason stopReason) => status switch
    {
        >= 200 and < 300 => failureClass is FailureClass.None,
        // A repetition may succeed: with another credential, later, or on another connection.
        401 or 403 or 407 or 408 or 409 or 421 or 425 or 429 => false,
        >= 400 and < 500 => failureClass is not FailureClass.None && stopReason is StopReason.NotRetryable,
        _ => false,
    };
}
