using System.Net;

namespace HttpResilience.Tests.Failures;

/// <summary>What the headers of a failed response change: <c>Retry-After</c> and <c>X-Should-Retry</c>.</summary>
public sealed class ResponseHeaderClassificationTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("30")]
    [InlineData("0.5")]
    [InlineData("0")]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT")]
    [InlineData("Sun, 01 Mar 2026 11:00:00 GMT")]
    public void A_503_that_names_the_time_to_come_back_was_not_processed(string retryAfter)
    {
        var result = Classify(503, ("Retry-After", retryAfter));

        result.IsAmbiguous.ShouldBeFalse();
        result.IsRetryable.ShouldBeTrue();
        result.FailureClass.ShouldBe(FailureClass.Transient);
        result.CircuitOutcome.ShouldBe(CircuitOutcome.Failure);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("-1")]
    [InlineData("99999999999999999999")]
    public void A_503_whose_Retry_After_cannot_be_read_may_have_been_processed(string retryAfter)
    {
        var result = Classify(503, ("Retry-After", retryAfter));

        result.IsAmbiguous.ShouldBeTrue();
        result.RetryAfter.ShouldBeNull();
    }

    [Theory]
    [InlineData(408)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(504)]
    public void Only_a_503_is_made_unambiguous_by_Retry_After(int status) =>
        Classify(status, ("Retry-After", "30")).IsAmbiguous.ShouldBeTrue();

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public void The_wait_that_the_server_asks_for_is_part_of_the_result(int status) =>
        Classify(status, ("Retry-After", "30")).RetryAfter.ShouldBe(TimeSpan.FromSeconds(30));

    [Theory]
    [InlineData("30", true)]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT", true)]
    [InlineData("0", true)]
    [InlineData("soon", false)]
    [InlineData(null, false)]
    public void A_413_that_names_the_time_to_come_back_was_not_processed(string? retryAfter, bool isTemporary)
    {
        var result = Classify(413, retryAfter is null ? [] : [("Retry-After", retryAfter)]);

        result.FailureClass.ShouldBe(isTemporary ? FailureClass.Transient : FailureClass.Permanent);
        (result.IsRetryable, result.IsAmbiguous).ShouldBe((isTemporary, false));
        result.CircuitOutcome.ShouldBe(CircuitOutcome.Success);
    }

    [Theory]
    [InlineData("X-RateLimit-Reset", "2026-03-01T12:01:00Z")]
    [InlineData("x-amz-retry-after", "60000")]
    [InlineData("x-ratelimit-reset-requests", "1m0s")]
    [InlineData("anthropic-ratelimit-requests-reset", "2026-03-01T12:01:00Z")]
    [InlineData("X-Rate-Limit-Reset", "1772366460")]
    [InlineData("X-RateLimit-Retry-After", "1772366460")]
    [InlineData("X-RateLimit-Reset", "60")]
    public void A_429_needs_no_count_for_a_reset_to_be_a_wait(string name, string value)
    {
        Classify(429, (name, value)).RetryAfter.ShouldBe(TimeSpan.FromMinutes(1));
        Classify(429, (name, value), ("X-Shopify-Shop-Api-Call-Limit", "40/40")).RetryAfter.ShouldBe(TimeSpan.FromMinutes(1));
    }

    [Theory, InlineData(503), InlineData(500), InlineData(403)]
    public void Another_status_needs_the_count(int status)
    {
        Classify(status, ("X-RateLimit-Reset", "60")).RetryAfter.ShouldBeNull();
        Classify(status, ("X-RateLimit-Reset", "60"), ("X-RateLimit-Remaining", "0")).RetryAfter.ShouldBe(TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("\"d\";r=0;t=30;pk=:YQ==:", true)]
    [InlineData("\"d\";r=0;t=30", false)]
    public void A_quota_of_a_partition_is_marked(string rateLimit, bool isOfPartition)
    {
        Classify(429, ("RateLimit", rateLimit)).IsOfPartition.ShouldBe(isOfPartition);
        Classify(403, ("RateLimit", rateLimit)).As(FailureClass.RateLimited).IsOfPartition.ShouldBe(isOfPartition);
        Classify(429, ("RateLimit", rateLimit), ("Retry-After", "5")).IsOfPartition.ShouldBeFalse();
    }

    [Fact]
    public void Without_the_header_there_is_no_wait_in_the_result() => Classify(429).RetryAfter.ShouldBeNull();

    [Theory]
    [InlineData(true, "2", false, true)]
    [InlineData(true, null, false, false)]
    [InlineData(true, "later", false, false)]
    [InlineData(false, "2", false, false)]
    [InlineData(false, null, false, false)]
    [InlineData(true, "2", true, true)]
    [InlineData(true, null, true, true)]
    [InlineData(true, "later", true, true)]
    [InlineData(false, "2", true, false)]
    [InlineData(false, null, true, false)]
    public void A_409_is_retried_only_with_a_key_that_is_in_use(bool keyed, string? retryAfter, bool mayBeInFlight, bool isRetryable)
    {
        var result = Classify(409, keyed, retryAfter is null ? [] : [("Retry-After", retryAfter)], mayBeInFlight);

        result.IsRetryable.ShouldBe(isRetryable);
        result.FailureClass.ShouldBe(FailureClass.Conflict);
        result.IsAmbiguous.ShouldBeFalse();
        result.CircuitOutcome.ShouldBe(CircuitOutcome.Success);
    }

    [Theory, InlineData(400), InlineData(404), InlineData(412), InlineData(422), InlineData(403)]
    public void No_other_status_means_that_the_key_is_in_use(int status) =>
        Classify(status, keyed: true, [], mayBeInFlight: true).IsRetryable.ShouldBeFalse();

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public void A_quota_that_is_used_up_is_a_wait_in_the_result(int status)
    {
        Classify(status, ("RateLimit", "\"default\";r=0;t=30")).RetryAfter.ShouldBe(TimeSpan.FromSeconds(30));
        Classify(status, ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "30")).RetryAfter.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData("10", 10)]
    [InlineData("0", 0)]
    [InlineData("soon", 30)]
    public void A_quota_comes_after_Retry_After(string retryAfter, int seconds) =>
        Classify(
            503, ("RateLimit", "\"default\";r=0;t=30"), ("Retry-After", retryAfter)).RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void A_503_with_a_quota_that_is_used_up_may_have_been_processed() =>
        Classify(503, ("RateLimit", "\"default\";r=0;t=30")).IsAmbiguous.ShouldBeTrue();

    [Theory, InlineData(404), InlineData(409), InlineData(400), InlineData(403)]
    public void A_quota_that_is_used_up_makes_no_status_one_that_is_repeated(int status) =>
        Classify(status, keyed: true, [("RateLimit", "\"default\";r=0;t=30")]).IsRetryable.ShouldBeFalse();

    [Theory]
    [InlineData("X-Should-Retry", "true", true)]
    [InlineData("X-Should-Retry", "false", false)]
    [InlineData("Stripe-Should-Retry", "true", true)]
    [InlineData("Stripe-Should-Retry", "false", false)]
    [InlineData("x-should-retry", "TRUE", true)]
    [InlineData("STRIPE-SHOULD-RETRY", "False", false)]
    public void The_server_says_whether_to_retry(string header, string value, bool expected)
    {
        Classify(400, (header, value)).SaidRetry.ShouldBe(expected);
        Classify(503, (header, value)).SaidRetry.ShouldBe(expected);
    }

    [Theory]
    [InlineData("")]
    [InlineData("yes")]
    [InlineData("1")]
    [InlineData("true, false")]
    public void A_word_of_the_server_that_cannot_be_read_is_none(string value) =>
        Classify(503, ("X-Should-Retry", value)).SaidRetry.ShouldBeNull();

    [Fact]
    public void A_server_that_contradicts_itself_has_said_nothing() =>
        Classify(503, ("X-Should-Retry", "true"), ("X-Should-Retry", "false")).SaidRetry.ShouldBeNull();

    [Fact]
    public void X_Should_Retry_comes_before_Stripe_Should_Retry() =>
        Classify(503, ("Stripe-Should-Retry", "true"), ("X-Should-Retry", "false")).SaidRetry.ShouldBe(false);

    [Fact]
    public void Without_the_header_the_server_has_said_nothing() => Classify(503).SaidRetry.ShouldBeNull();

    private static AttemptResult Classify(int status, params (string Name, string Value)[] headers) =>
        Classify(status, keyed: false, headers);

    private static AttemptResult Classify(
        int status, bool keyed, (string Name, string Value)[] headers, bool mayBeInFlight = false)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        foreach (var (name, value) in headers)
            response.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        return FailureClassifier.Classify(response, keyed, Now, mayBeInFlight);
    }
}
