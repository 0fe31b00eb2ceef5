namespace HttpResilience;

/// <summary>What one attempt means for retry and circuit.</summary>
internal readonly record struct AttemptResult
{
    internal FailureClass FailureClass { get; init; }

    internal int? StatusCode { get; init; }

    /// <summary>The failure leaves open whether the server acted on the request. False for "not sent" and "not processed".</summary>
    internal bool IsAmbiguous { get; init; }

    internal bool IsRetryable { get; init; }

    /// <summary>The server's own word (<c>X-Should-Retry</c>) or the application's (<see cref="IFailureClassifier"/>), which beat the status.</summary>
    internal bool? SaidRetry { get; init; }

    /// <summary>How long the server asks to wait, counted from the response. Null or zero: it does not ask.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    internal CircuitOutcome CircuitOutcome { get; init; }

    internal static AttemptResult Success(int status) => new() { StatusCode = status, CircuitOutcome = CircuitOutcome.Success };

    internal bool IsSuccess => FailureClass is FailureClass.None;

    /// <summary>The same response, taken for another kind of failure. Whether the server acted on the request does not depend on that.</summary>
    internal AttemptResult As(FailureClass failureClass) => failureClass is FailureClass.None
        ? Success(StatusCode!.Value)
        : Of(new(failureClass) { MayHaveBeenProcessed = IsAmbiguous, RetryAfter = RetryAfter }, StatusCode) with { SaidRetry = SaidRetry };

    internal static AttemptResult Of(FailureClassification said, int? status) => new()
    {
        StatusCode = status,
        FailureClass = said.FailureClass,
        IsRetryable = said.IsRetryable,
        SaidRetry = said.IsRetryable,
        IsAmbiguous = said.MayHaveBeenProcessed,
        RetryAfter = said.RetryAfter,
        CircuitOutcome = said.CountsAgainstCircuit ? CircuitOutcome.Failure : status is null ? CircuitOutcome.Neutral : CircuitOutcome.Success,
    };

    internal FailureClassification ToClassification() => new(FailureClass)
    {
        IsRetryable = SaidRetry ?? IsRetryable,
        MayHaveBeenProcessed = IsAmbiguous,
        CountsAgainstCircuit = CircuitOutcome is CircuitOutcome.Failure,
        RetryAfter = RetryAfter,
    };
}
