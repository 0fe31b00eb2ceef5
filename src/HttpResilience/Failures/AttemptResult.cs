namespace HttpResilience;

/// <summary>The result of one attempt, as retry and circuit use it.</summary>
internal readonly record struct AttemptResult
{
    internal FailureClass FailureClass { get; init; }

    internal int? StatusCode { get; init; }

    /// <summary>The failure does not show whether the server processed the request. False for "not sent" and "not processed".</summary>
    internal bool IsAmbiguous { get; init; }

    internal bool IsRetryable { get; init; }

    /// <summary>
    /// Whether the server (<c>X-Should-Retry</c>) or the application (<see cref="IFailureClassifier"/>) wants a retry; overrides the
    /// status. Null when neither says.
    /// </summary>
    internal bool? SaidRetry { get; init; }

    /// <summary>The delay the server asks for, from the response on. Null or zero: none.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    /// <summary>The delay that the application's classifier wants in place of the backoff; null when it says nothing.</summary>
    internal TimeSpan? Delay { get; init; }

    /// <summary>The delay is asked of one partition of the callers, such as a customer, not of all.</summary>
    internal bool IsOfPartition { get; init; }

    internal CircuitOutcome CircuitOutcome { get; init; }

    internal static AttemptResult Success(int status) => new() { StatusCode = status, CircuitOutcome = CircuitOutcome.Success };

    internal bool IsSuccess => FailureClass is FailureClass.None;

    /// <summary>
    /// The same response with another class. Whether the server processed the request does not depend on the class, except that a 503 that
    /// is said to be a failure of the server may have been processed, with <c>Retry-After</c> too.
    /// </summary>
    internal AttemptResult As(FailureClass failureClass)
    {
        if (failureClass is FailureClass.None)
            return Success(StatusCode!.Value);
        bool isAmbiguous = IsAmbiguous || (StatusCode is 503 && CallOutcome.IsOutage(failureClass));
        return Of(new(failureClass) { MayHaveBeenProcessed = isAmbiguous, RetryAfter = RetryAfter }, StatusCode) with
        {
            SaidRetry = SaidRetry,
            IsOfPartition = IsOfPartition,
        };
    }

    /// <summary>
    /// The same failure, caused by the request's own body: it says nothing about the host, which may have processed what was written.
    /// </summary>
    internal AttemptResult OfBody(bool wasWritten) =>
        this with { IsAmbiguous = IsAmbiguous || wasWritten, CircuitOutcome = CircuitOutcome.Neutral };

    internal static AttemptResult Of(FailureClassification said, int? status) => new()
    {
        StatusCode = status,
        FailureClass = said.FailureClass,
        IsRetryable = said.IsRetryable,
        SaidRetry = said.IsRetryable,
        IsAmbiguous = said.MayHaveBeenProcessed,
        RetryAfter = said.RetryAfter,
        Delay = said.Delay >= TimeSpan.Zero ? said.Delay : null,
        CircuitOutcome = said.CountsAgainstCircuit ? CircuitOutcome.Failure
            : status is null ? CircuitOutcome.Neutral
            : CircuitOutcome.Success,
    };

    internal FailureClassification ToClassification() => new(FailureClass)
    {
        IsRetryable = SaidRetry ?? IsRetryable,
        MayHaveBeenProcessed = IsAmbiguous,
        CountsAgainstCircuit = CircuitOutcome is CircuitOutcome.Failure,
        RetryAfter = RetryAfter,
        Delay = Delay,
    };
}
