namespace HttpResilience;

/// <summary>What a keyed call does next, by what is remembered of its key.</summary>
internal enum ResponseReplayDecision
{
    /// <summary>Nobody else is at it: it is sent.</summary>
    Send,

    /// <summary>The response is known.</summary>
    Answer,

    /// <summary>Another call with the key is under way: its response will be the answer.</summary>
    Wait,

    /// <summary>The key stands for another request.</summary>
    RejectReuse,

    /// <summary>It may have been done, and doing it again is not safe.</summary>
    RejectDoubt,
}

/// <summary>What is written down of a keyed call that has ended.</summary>
internal enum ResponseReplayOutcome
{
    /// <summary>The response settles it.</summary>
    Remember,

    /// <summary>It has certainly come to nothing: the key is free.</summary>
    Forget,

    /// <summary>It may have been processed.</summary>
    LeaveInDoubt,
}

/// <summary>The rules of remembered responses (<c>Idempotency:RememberFor</c>).</summary>
internal static class ResponseReplayRules
{
    /// <summary>Decides before a call is sent.</summary>
    /// <param name="known">What the store knows of the key.</param>
    /// <param name="asking">The request.</param>
    /// <param name="mayBeRepeated">The request does no harm when it is processed twice, or the API recognises it by its key.</param>
    /// <param name="canBeFound">The application can find out whether it has been processed (<see cref="IReconciler"/>).</param>
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
    /// <param name="failureClass">What it ended with.</param>
    /// <param name="stopReason">Why there was no further attempt.</param>
    /// <param name="wasSent">There was an attempt.</param>
    /// <param name="mayHaveBeenProcessed">An attempt, or an earlier call with the key, may have been processed.</param>
    internal static ResponseReplayOutcome After(int? status, FailureClass failureClass, StopReason stopReason, bool wasSent, bool mayHaveBeenProcessed)
    {
        if (IsConclusive(status, failureClass, stopReason))
            return ResponseReplayOutcome.Remember;
        if (mayHaveBeenProcessed)
            return ResponseReplayOutcome.LeaveInDoubt;
        if (!wasSent)
            return ResponseReplayOutcome.Forget;

        bool isCertain = status is null ? failureClass is not (FailureClass.None or FailureClass.Cancelled or FailureClass.Permanent) : failureClass is not FailureClass.None;
        return isCertain ? ResponseReplayOutcome.Forget : ResponseReplayOutcome.LeaveInDoubt;
    }

    private static bool IsConclusive(int? status, FailureClass failureClass, StopReason stopReason) => status switch
    {
        >= 200 and < 300 => failureClass is FailureClass.None,
        // Who asks again after these may well get another answer: with another credential, later, or on another connection.
        401 or 403 or 407 or 408 or 409 or 421 or 425 or 429 => false,
        >= 400 and < 500 => failureClass is not FailureClass.None && stopReason is StopReason.NotRetryable,
        _ => false,
    };
}
