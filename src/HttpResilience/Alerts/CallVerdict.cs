namespace HttpResilience;

/// <summary>What a call that has ended says about the host it went to.</summary>
internal enum CallVerdict
{
    /// <summary>Nothing: it was cancelled, nothing was sent, or what went wrong is the program's own.</summary>
    Nothing,

    /// <summary>The host works.</summary>
    Works,

    /// <summary>The host fails.</summary>
    Fails,

    /// <summary>Nothing was sent, because the host has been failing for the tenant.</summary>
    FailsForTenant,
}

/// <summary>Judges calls.</summary>
internal static class CallVerdicts
{
    /// <param name="attempts">How many went out.</param>
    /// <param name="hasResponse">There is an answer.</param>
    /// <param name="isHeldBackForTenant">The circuit of the tenant, and not that of the host, stood in the way.</param>
    internal static CallVerdict Of(FailureClass failureClass, int attempts, bool hasResponse, bool isHeldBackForTenant) => failureClass switch
    {
        FailureClass.Cancelled => CallVerdict.Nothing,
        // Remembered responses say nothing; what the open circuit of the host turns away is told by the circuit.
        _ when attempts == 0 => isHeldBackForTenant ? CallVerdict.FailsForTenant : CallVerdict.Nothing,
        FailureClass.None => CallVerdict.Works,
        // About the one request: whoever can say so is up, and has taken the credentials.
        FailureClass.NotFound or FailureClass.Conflict or FailureClass.Validation => CallVerdict.Works,
        FailureClass.Permanent => hasResponse ? CallVerdict.Works : CallVerdict.Nothing,
        _ => CallVerdict.Fails,
    };
}
