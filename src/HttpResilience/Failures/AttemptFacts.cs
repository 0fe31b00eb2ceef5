namespace HttpResilience;

/// <summary>The facts about a failed attempt that its last response or exception does not show.</summary>
/// <param name="WasSent">The request reached the innermost stage, or a response came from a handler of the application.</param>
/// <param name="WasAnswered">
/// A server answered the request before the failure: with a redirect, or with a response to a handler that failed afterwards; or it may
/// have processed it, and a handler hid that. "Not sent" and "not processed" then hold for the last hop, not for the attempt.
/// </param>
/// <param name="IsOfAnotherHost">The failure does not show whether the host that was asked works.</param>
internal readonly record struct AttemptFacts(bool WasSent, bool WasAnswered, bool IsOfAnotherHost)
{
    /// <summary>A header field cannot be sent, so the connection received nothing.</summary>
    internal bool IsUnsendable { get; init; }

    /// <summary>That the request was not sent is certain; else the exception decides.</summary>
    internal bool IsCertain { get; init; } = true;

    /// <summary>Corrects the classification of the last response or exception; its class stays.</summary>
    internal AttemptResult ApplyTo(in AttemptResult result)
    {
        if (result.IsSuccess)
            return result;
        if (!WasSent)
        {
            bool isAmbiguous = result.IsAmbiguous && !IsCertain;
            return result with { StatusCode = null, IsAmbiguous = isAmbiguous, CircuitOutcome = CircuitOutcome.Neutral };
        }

        if (IsUnsendable && result.FailureClass is not FailureClass.Cancelled)
            return new() { FailureClass = FailureClass.Permanent, CircuitOutcome = CircuitOutcome.Neutral };
        return result with
        {
            IsAmbiguous = result.IsAmbiguous || WasAnswered,
            CircuitOutcome = IsOfAnotherHost ? CircuitOutcome.Neutral : result.CircuitOutcome,
        };
    }
}
