using System.Globalization;

namespace HttpResilience.Tests.Retry;

/// <summary>A key that the server may have forgotten no longer makes a repetition safe.</summary>
public sealed class KeyLifetimeDecisionTests
{
    private static readonly RetryOptions Options = new() { UseJitter = false, MaxRetryAttempts = int.MaxValue };

    /// <summary>The wait is one second, or what the status asks for.</summary>
    [Theory]
    [InlineData(500, 1001, StopReason.None)]
    [InlineData(500, 1000, StopReason.KeyExpired)]
    [InlineData(500, 0, StopReason.KeyExpired)]
    [InlineData(500, -5000, StopReason.KeyExpired)]
    [InlineData(429, 0, StopReason.None)]
    [InlineData(421, -5000, StopReason.None)]
    public void A_keyed_post_that_may_have_been_processed_is_repeated_while_its_key_lasts(
        int status, int keyExpiresInMs, StopReason expected) =>
        Decide(status, keyExpiresInMs).StopReason.ShouldBe(expected);

    [Theory, InlineData(429), InlineData(425), InlineData(500)]
    public void An_expired_key_stops_a_call_of_which_an_earlier_attempt_may_have_been_processed(int status) =>
        Decide(status, 1000, earlier: true).StopReason.ShouldBe(StopReason.KeyExpired);

    [Fact]
    public void A_failure_to_connect_after_an_attempt_that_may_have_been_processed_counts_alike()
    {
        var refused = FailureClassifier.Classify(
            new HttpRequestException(HttpRequestError.ConnectionError), timedOut: false, cancelled: false);
        refused.IsAmbiguous.ShouldBeFalse();

        Decide(refused, 1000, earlier: true).StopReason.ShouldBe(StopReason.KeyExpired);
        Decide(refused, 1000, earlier: false).IsRetry.ShouldBeTrue();
    }

    [Fact]
    public void An_idempotent_method_needs_no_key() =>
        Decide(500, keyExpiresInMs: 0, earlier: true, idempotent: true).IsRetry.ShouldBeTrue();

    [Fact]
    public void The_key_does_not_matter_where_unsafe_methods_are_always_retried() =>
        Decide(500, keyExpiresInMs: 0, earlier: true, unsafeMethods: UnsafeMethods.Always).IsRetry.ShouldBeTrue();

    [Theory]
    [InlineData(5, 6000, StopReason.None)]
    [InlineData(5, 5000, StopReason.KeyExpired)]
    [InlineData(400, 5000, StopReason.RetryAfterTooLong)]
    public void The_wait_that_the_server_asks_for_must_end_while_the_key_lasts(
        int retryAfterSeconds, int keyExpiresInMs, StopReason expected)
    {
        var result = FailureClassifier.Of(
            500, hasRetryAfter: true, keyed: true) with
        { RetryAfter = TimeSpan.FromSeconds(retryAfterSeconds) };

        Decide(result, keyExpiresInMs, earlier: false).StopReason.ShouldBe(expected);
    }

    [Fact]
    public void Jitter_does_not_take_a_call_past_the_life_of_its_key()
    {
        var options = new RetryOptions { Jitter = { Mode = JitterMode.Additive, Maximum = TimeSpan.FromSeconds(10) } };
        var result = FailureClassifier.Of(500, hasRetryAfter: true, keyed: true) with { RetryAfter = TimeSpan.FromSeconds(5) };
        var request = Post with { KeyExpiresIn = TimeSpan.FromSeconds(6) };

        var decision = RetryDecision.Decide(RetryPolicy.From(options, TimeSpan.TicksPerSecond), result, request, attempt: 1,
            TimeSpan.FromMinutes(1), random: 0.9, previousRandom: 0);

        decision.Delay.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_deadline_that_comes_first_is_the_reason() =>
        RetryDecision.Decide(RetryPolicy.From(Options, TimeSpan.TicksPerSecond), FailureClassifier.Of(500, false, true),
            Post with { KeyExpiresIn = TimeSpan.FromSeconds(1) }, 1, TimeSpan.FromSeconds(1), 0.5, 0)
            .StopReason.ShouldBe(StopReason.DeadlineWouldPass);

    [Fact]
    public void No_attempt_of_a_post_that_may_have_been_processed_begins_after_the_key_has_expired()
    {
        const int seed = 4711;
        var random = new Random(seed);
        int[] statuses = [408, 421, 425, 429, 500, 502, 503, 504];
        for (int i = 0; i < 20_000; i++)
        {
            var options =
                new RetryOptions { Jitter = { Mode = (JitterMode)random.Next(5) }, Delay = TimeSpan.FromMilliseconds(random.Next(5000)) };
            int status = statuses[random.Next(statuses.Length)];
            TimeSpan? asked = random.Next(3) == 0 ? TimeSpan.FromMilliseconds(random.Next(10_000)) : null;
            var result = FailureClassifier.Of(status, asked is not null, keyed: true) with { RetryAfter = asked };
            var request = Post with
            {
                KeyExpiresIn = TimeSpan.FromMilliseconds(random.Next(-100, 10_000)),
                MayHaveBeenProcessed = random.Next(2) == 0
            };

            var decision = RetryDecision.Decide(
                RetryPolicy.From(options, TimeSpan.TicksPerSecond), result, request, random.Next(1, 4),
                TimeSpan.FromMilliseconds(random.Next(20_000)), random.NextDouble(), random.NextDouble());

            bool risky = result.IsAmbiguous || request.MayHaveBeenProcessed;
            if (decision.IsRetry && risky)
                decision.Delay.ShouldBeLessThan(
                    request.KeyExpiresIn, string.Create(CultureInfo.InvariantCulture, $"seed {seed}, round {i}"));
            if (!risky)
                decision.StopReason.ShouldNotBe(
                    StopReason.KeyExpired, string.Create(CultureInfo.InvariantCulture, $"seed {seed}, round {i}"));
        }
    }

    private static RetryableRequest Post => new(IsIdempotent: false, IsKeyed: true, BodyIsReplayable: true, MaxRetryAttempts: null);

    private static RetryDecision Decide(int status, int keyExpiresInMs, bool earlier = false, bool idempotent = false,
        UnsafeMethods unsafeMethods = UnsafeMethods.WhenKeyed) =>
        Decide(FailureClassifier.Of(status, hasRetryAfter: false, keyed: true), keyExpiresInMs, earlier, idempotent, unsafeMethods);

    private static RetryDecision Decide(
        AttemptResult result, int keyExpiresInMs, bool earlier, bool idempotent = false,
        UnsafeMethods unsafeMethods = UnsafeMethods.WhenKeyed) =>
        RetryDecision.Decide(
            RetryPolicy.From(new() { UseJitter = false, UnsafeMethods = unsafeMethods }, TimeSpan.TicksPerSecond),
            result,
            Post with
            {
                IsIdempotent =
                idempotent,
                MayHaveBeenProcessed = earlier,
                KeyExpiresIn = TimeSpan.FromMilliseconds(keyExpiresInMs)
            },
            attempt: 1,
            remaining: TimeSpan.FromHours(1),
            random: 0.5,
            previousRandom: 0.5);
}
