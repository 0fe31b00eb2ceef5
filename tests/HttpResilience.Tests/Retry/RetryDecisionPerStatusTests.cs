namespace HttpResilience.Tests.Retry;

/// <summary><c>Retry:Statuses</c>: what differs for one status.</summary>
public sealed class RetryDecisionPerStatusTests
{
    [Fact]
    public void A_status_that_names_its_attempts_is_retried_that_often()
    {
        var notYetThere = Got(404, new() { MaxRetryAttempts = 2, Delay = TimeSpan.FromSeconds(2) });

        notYetThere.ShouldRetryAfter(TimeSpan.FromSeconds(2));
        (notYetThere with { Attempt = 2 }).ShouldRetryAfter(TimeSpan.FromSeconds(4));
        (notYetThere with { Attempt = 3 }).ShouldStop(StopReason.AttemptsExhausted);
    }

    [Fact]
    public void A_status_that_names_no_attempts_is_not_retried_for_being_listed() =>
        Got(404, new() { Delay = TimeSpan.FromSeconds(2) }).ShouldStop(StopReason.NotRetryable);

    [Fact]
    public void No_attempts_switch_the_retries_of_one_status_off()
    {
        Got(503, new() { MaxRetryAttempts = 0 }).ShouldStop(StopReason.AttemptsExhausted);
        Got(404, new() { MaxRetryAttempts = 0 }).ShouldStop(StopReason.NotRetryable);
    }

    [Fact]
    public void More_attempts_for_one_status_count_for_it_alone()
    {
        var patient = Got(503, new() { MaxRetryAttempts = 10 });

        (patient with { Attempt = 6 }).ShouldRetryAfter(TimeSpan.FromSeconds(32));
        (patient with { Attempt = 6, Result = FailureClassifier.Of(502, hasRetryAfter: false, keyed: false) }).ShouldStop(
            StopReason.AttemptsExhausted);
    }

    [Theory]
    [InlineData(null, 2.0, 1, 2)]
    [InlineData(null, 2.0, 3, 8)]
    [InlineData(5.0, 2.0, 1, 10)]
    [InlineData(5.0, 1.0, 2, 10)]
    [InlineData(null, 0.5, 1, 0.5)]
    [InlineData(null, 0.0, 1, 0)]
    [InlineData(null, 1000.0, 1, 60)]
    public void The_delay_of_one_status_is_its_own_times_its_multiplier_up_to_the_cap(
        double? delay, double multiplier, int attempt, double seconds) =>
        (Got(503,
            new() { Delay = delay is { } d ? TimeSpan.FromSeconds(d) : null, DelayMultiplier = multiplier }) with
        { Attempt = attempt })
            .ShouldRetryAfter(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void Options_of_the_call_take_precedence_over_those_of_the_status()
    {
        (Got(404, new() { MaxRetryAttempts = 2 }) with { MaxRetryAttempts = 0 }).ShouldStop(StopReason.AttemptsExhausted);
        (Got(404, new() { MaxRetryAttempts = 2 }) with { MaxRetryAttempts = 3, Attempt = 3 }).ShouldRetryAfter(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public void A_failure_without_a_status_has_no_override() =>
        (Got(404, new() { MaxRetryAttempts = 9 }) with
        {
            Result = FailureClassifier.Classify(new IOException("x"), timedOut: false, cancelled: false),
            Attempt = 4,
        }).ShouldStop(StopReason.AttemptsExhausted);

    [Fact]
    public void The_server_may_forbid_what_the_options_allow()
    {
        var decision = Got(404, new() { MaxRetryAttempts = 2 });

        (decision with { Result = decision.Result with { SaidRetry = false } }).ShouldStop(StopReason.NotRetryable);
    }

    private static Decision Got(int status, RetryStatusOptions options) => new()
    {
        Result = FailureClassifier.Of(status, hasRetryAfter: false, keyed: false),
        Options = new() { UseJitter = false, Statuses = { [status] = options } },
    };
}
