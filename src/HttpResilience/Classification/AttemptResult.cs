namespace HttpResilience;

/// <summary>What one attempt means for retry and circuit.</summary>
internal readonly record struct AttemptResult
{
    internal FailureClass FailureClass { get; init; }

    internal int? StatusCode { get; init; }

    /// <summary>The failure leaves open whether the server acted on the request. False for "not sent" and "not processed".</summary>
    internal bool IsAmbiguous { get; init; }

    internal bool IsRetryable { get; init; }

    /// <summary>The server's own word (<c>X-Should-Retry</c>), which beats the status.</summary>
    internal bool? ServerSaysRetry { get; init; }

    /// <summary>How long the server asks to wait, counted from the response. Null or zero: it does not ask.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    internal CircuitOutcome CircuitOutcome { get; init; }

    internal static AttemptResult Success(int status) => new() { StatusCode = status, CircuitOutcome = CircuitOutcome.Success };

    internal bool IsSuccess => FailureClass is FailureClass.None;
}
