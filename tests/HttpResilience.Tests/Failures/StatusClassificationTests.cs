using System.Net;

namespace HttpResilience.Tests.Failures;

/// <summary>The rows of the table of statuses: class, repeatable or not, ambiguous or not, effect on the circuit.</summary>
public sealed class StatusClassificationTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly HashSet<int> Listed = [400, 401, 403, 404, 407, 408, 409, 410, 421, 422, 425, 429, 501, 502, 503, 504, 505];

    [Theory]
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(202)]
    [InlineData(204)]
    [InlineData(206)]
    [InlineData(301)]
    [InlineData(304)]
    [InlineData(307)]
    [InlineData(399)]
    public void Below_400_is_a_success(int status)
    {
        var result = Classify(status);

        result.IsSuccess.ShouldBeTrue();
        result.ShouldMean(
            new AttemptResult { StatusCode = status, FailureClass = FailureClass.None, CircuitOutcome = CircuitOutcome.Success });
    }

    [Theory]
    [InlineData(400, FailureClass.Validation, false, false, false)]
    [InlineData(401, FailureClass.Authentication, false, false, false)]
    [InlineData(403, FailureClass.Authorization, false, false, false)]
    [InlineData(404, FailureClass.NotFound, false, false, false)]
    [InlineData(407, FailureClass.Authentication, false, false, false)]
    [InlineData(408, FailureClass.Transient, true, true, true)]
    [InlineData(409, FailureClass.Conflict, false, false, false)]
    [InlineData(410, FailureClass.NotFound, false, false, false)]
    [InlineData(421, FailureClass.Transient, true, false, false)]
    [InlineData(422, FailureClass.Validation, false, false, false)]
    [InlineData(425, FailureClass.Transient, true, false, false)]
    [InlineData(429, FailureClass.RateLimited, true, false, false)]
    [InlineData(500, FailureClass.ServerError, true, true, true)]
    [InlineData(501, FailureClass.Permanent, false, false, false)]
    [InlineData(502, FailureClass.Transient, true, true, true)]
    [InlineData(503, FailureClass.Transient, true, true, true)]
    [InlineData(504, FailureClass.Transient, true, true, true)]
    [InlineData(505, FailureClass.Permanent, false, false, false)]
    public void A_listed_status_means_what_its_row_says(
        int status, FailureClass failureClass, bool isRetryable, bool isAmbiguous, bool countsAgainstTheCircuit) =>
        Classify(status).ShouldMean(new AttemptResult
        {
            StatusCode = status,
            FailureClass = failureClass,
            IsRetryable = isRetryable,
            IsAmbiguous = isAmbiguous,
            CircuitOutcome = countsAgainstTheCircuit ? CircuitOutcome.Failure : CircuitOutcome.Success,
        });

    [Fact]
    public void Every_other_4xx_is_permanent_and_shows_a_host_that_is_alive()
    {
        foreach (int status in Enumerable.Range(400, 100).Except(Listed))
            Classify(status).ShouldMean(
                new AttemptResult { StatusCode = status, FailureClass = FailureClass.Permanent, CircuitOutcome = CircuitOutcome.Success });
    }

    [Fact]
    public void Every_other_5xx_is_a_server_error()
    {
        foreach (int status in Enumerable.Range(500, 100).Except(Listed))
        {
            Classify(status).ShouldMean(new AttemptResult
            {
                StatusCode = status,
                FailureClass = FailureClass.ServerError,
                IsRetryable = true,
                IsAmbiguous = true,
                CircuitOutcome = CircuitOutcome.Failure,
            });
        }
    }

    [Fact]
    public void A_key_changes_nothing_but_a_conflict_with_a_time_to_come_back()
    {
        foreach (int status in Enumerable.Range(100, 500))
            Classify(status, keyed: true).ShouldMean(Classify(status, keyed: false));
    }

    private static AttemptResult Classify(int status, bool keyed = false)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        return FailureClassifier.Classify(response, keyed, Now);
    }
}
