namespace HttpResilience.Tests.Failures;

/// <summary>What an ended call says, as a table.</summary>
public sealed class CallOutcomeTests
{
    private const OutcomeKind Neutral = OutcomeKind.Neutral, Success = OutcomeKind.Success, Failure = OutcomeKind.Failure;

    [Theory]
    // Answered.
    [InlineData(FailureClass.None, StopReason.Succeeded, 1, 200, Success, Success)]
    [InlineData(FailureClass.NotFound, StopReason.NotRetryable, 1, 404, Success, Success)]
    [InlineData(FailureClass.Conflict, StopReason.NotRetryable, 1, 409, Success, Success)]
    [InlineData(FailureClass.Validation, StopReason.NotRetryable, 1, 422, Success, Success)]
    [InlineData(FailureClass.Permanent, StopReason.NotRetryable, 1, 501, Success, Success)]
    // The API failed.
    [InlineData(FailureClass.Transient, StopReason.AttemptsExhausted, 4, 503, Failure, Failure)]
    [InlineData(FailureClass.Transient, StopReason.AttemptsExhausted, 4, null, Failure, Failure)]
    [InlineData(FailureClass.ServerError, StopReason.AttemptsExhausted, 4, 500, Failure, Failure)]
    [InlineData(FailureClass.RateLimited, StopReason.RetryAfterTooLong, 1, 429, Failure, Failure)]
    [InlineData(FailureClass.RateLimited, StopReason.RateLimited, 1, 429, Failure, Failure)]
    [InlineData(FailureClass.Authentication, StopReason.NotRetryable, 1, 401, Failure, Failure)]
    [InlineData(FailureClass.Authorization, StopReason.NotRetryable, 1, 403, Failure, Failure)]
    // Nothing was sent: the circuit tells about the host, but the callers were not served.
    [InlineData(FailureClass.Transient, StopReason.CircuitOpen, 0, null, Failure, Neutral)]
    [InlineData(FailureClass.None, StopReason.Reconciled, 0, null, Success, Neutral)]
    // Neither the API nor the host is to blame.
    [InlineData(FailureClass.None, StopReason.Replayed, 0, null, Neutral, Neutral)]
    [InlineData(FailureClass.Validation, StopReason.Replayed, 0, null, Neutral, Neutral)]
    [InlineData(FailureClass.Transient, StopReason.IntegrationPaused, 0, null, Neutral, Neutral)]
    [InlineData(FailureClass.Transient, StopReason.KeyInDoubt, 0, null, Neutral, Neutral)]
    [InlineData(FailureClass.RateLimited, StopReason.RateLimited, 0, null, Neutral, Neutral)]
    [InlineData(FailureClass.Permanent, StopReason.NotRetryable, 1, null, Neutral, Neutral)]
    [InlineData(FailureClass.Cancelled, StopReason.Cancelled, 1, null, Neutral, Neutral)]
    [InlineData(FailureClass.Cancelled, StopReason.Cancelled, 2, 503, Neutral, Neutral)]
    public void A_call_says_about_the_api_and_about_the_host(
        FailureClass failureClass, StopReason stopReason, int attempts, int? status, OutcomeKind api, OutcomeKind host)
    {
        var outcome = new CallOutcome(failureClass, stopReason, attempts, status, IsTenantCircuitOpen: false);

        (outcome.Api, outcome.Host, outcome.IsTenantFailure).ShouldBe((api, host, false));
    }

    [Theory]
    [InlineData(FailureClass.Transient, 0, true)]
    [InlineData(FailureClass.Transient, 1, false)]
    [InlineData(FailureClass.Cancelled, 0, false)]
    public void An_open_circuit_of_the_tenant_alone_is_a_failure_of_the_tenant_when_nothing_was_sent(FailureClass failureClass,
        int attempts, bool isTenantFailure) =>
        new CallOutcome(failureClass, StopReason.CircuitOpen, attempts, null, IsTenantCircuitOpen: true)
            .IsTenantFailure.ShouldBe(isTenantFailure);

    [Theory]
    [InlineData(FailureClass.Transient, true)]
    [InlineData(FailureClass.ServerError, true)]
    [InlineData(FailureClass.RateLimited, false)]
    [InlineData(FailureClass.Authentication, false)]
    [InlineData(FailureClass.None, false)]
    public void An_outage_is_a_server_that_fails_or_cannot_be_reached(FailureClass failureClass, bool isOutage) =>
        CallOutcome.IsOutage(failureClass).ShouldBe(isOutage);
}
