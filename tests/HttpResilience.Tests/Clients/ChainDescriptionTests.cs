using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Clients;

public sealed class ChainDescriptionTests
{
    [Fact]
    public void All_stages_are_told_in_their_order()
    {
        var o = new HttpResilienceOptions { RateLimiter = new() { DefaultRateLimiterOptions = new() { PermitLimit = 20 } } };
        o.RateLimiter.TokenBucket = new() { TokenLimit = 10, TokensPerPeriod = 5, ReplenishmentPeriod = TimeSpan.FromSeconds(0.5) };
        o.Fallback.Enabled = o.DeadLetter.Enabled = o.Hedging.Enabled = o.Chaos.Enabled = true;
        (o.Idempotency.KeySource, o.Idempotency.RememberFor) = (KeySource.Content, TimeSpan.FromDays(7));
        o.Retry.Methods = ["GET", "POST"];
        o.CircuitBreaker.SlowCallDuration = TimeSpan.FromSeconds(2);
        o.CircuitBreaker.MaxBreakDuration = TimeSpan.FromHours(1);

        ChainDescription.Of(o).ShouldBe(
            "keys POST PATCH from content, remembered 7 d · retry 3 of GET POST exponential 1 s · circuit 5 in a row over 1 s "
            + "or 90 % of 100 or 100 % slower than 2 s, break 1 s – 1 h, waits 5 s · 20 at once · 5 per 0.5 s · "
            + "hedge after p95 · attempt 30 s · total 100 s · fallback 1 d · dead letters · chaos");
    }

    [Fact]
    public void Limits_that_find_themselves_or_only_observe_say_so()
    {
        var o = new HttpResilienceOptions { RateLimiter = new() { Mode = LimitMode.Observe, DefaultRateLimiterOptions = new() } };
        o.RateLimiter.TokenBucket = new() { TokenLimit = 10, TokensPerPeriod = 5 };
        (o.Concurrency.Mode, o.Concurrency.MaxLimit) = (ConcurrencyMode.Adaptive, 50);

        ChainDescription.Of(o).ShouldContain(
            " · 1000 at once, observed only · 5 per 1 s, observed only · 1–50 at once, adaptive · attempt 30 s");
    }

    [Fact]
    public void Retries_of_no_method_are_off()
    {
        var o = new HttpResilienceOptions();
        o.Retry.Methods = [];

        ChainDescription.Of(o).ShouldContain(" · no retry · ");
    }

    [Fact]
    public void What_is_off_is_told_as_well()
    {
        var o = new HttpResilienceOptions();
        (o.Idempotency.Enabled, o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (false, 0, null);
        (o.AttemptTimeout.Timeout, o.TotalRequestTimeout.Timeout) = (null, null);

        ChainDescription.Of(o).ShouldBe("no keys · no retry · no circuit · attempt without timeout · total without timeout");
    }

    [Theory]
    [InlineData(null, "break 1 s")]
    [InlineData(0.5, "break 1 s")]
    [InlineData(45.0, "break 1–45 s")]
    public void A_break_that_does_not_grow_is_one_number(double? max, string expected)
    {
        var o = new HttpResilienceOptions();
        o.CircuitBreaker.MaxBreakDuration = max is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

        ChainDescription.Of(o).ShouldContain(expected + ", ");
    }

    [Fact]
    public void A_row_of_any_length_and_a_circuit_without_waits_are_told_as_such()
    {
        var o = new HttpResilienceOptions();
        o.CircuitBreaker.UseClassic();

        ChainDescription.Of(o).ShouldContain(" · circuit 5 in a row or 10 % of 100, break 30–300 s · ");
    }

    [Fact]
    public void A_wait_shorter_than_the_first_break_is_none()
    {
        var o = new HttpResilienceOptions();
        o.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(6);

        ChainDescription.Of(o).ShouldContain(", break 6–10 s · ");
    }

    [Fact]
    public void A_circuit_that_only_observes_is_told_as_such()
    {
        var o = new HttpResilienceOptions();
        o.CircuitBreaker.Mode = CircuitMode.Observe;

        ChainDescription.Of(o).ShouldContain(", break 1–10 s, observed only · ");
    }

    [Fact]
    public void A_circuit_without_a_rule_is_none()
    {
        var o = new HttpResilienceOptions();
        (o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.FailureRatio) = (null, null);

        ChainDescription.Of(o).ShouldContain("no circuit");
    }
}
