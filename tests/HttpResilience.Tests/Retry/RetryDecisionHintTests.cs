namespace HttpResilience.Tests.Retry;

/// <summary>The wait that the server asks for: a floor, bounded, and never the reason to miss a deadline.</summary>
public sealed class RetryDecisionHintTests
{
    private static readonly Decision Ordinary = new();

    [Theory]
    [InlineData(0.001)]
    [InlineData(5)]
    [InlineData(60)]
    public void The_servers_word_wins_over_the_backoff(double seconds) => Asked(seconds).ShouldRetryAfter(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void The_servers_word_wins_over_a_backoff_that_is_longer() =>
        (Asked(1) with { Attempt = 3 }).ShouldRetryAfter(TimeSpan.FromSeconds(1));

    [Theory]
    [InlineData(null, 7, 7)]
    [InlineData(null, 0, 0)]
    [InlineData(5, 7, 7)]
    [InlineData(7, 5, 7)]
    [InlineData(0, 5, 5)]
    public void A_delay_of_the_classifier_takes_the_place_of_the_backoff_and_the_longer_of_it_and_the_servers_counts(
        int? asked, int said, int waited) => (Ordinary with { Result = Said(asked, said) }).ShouldRetryAfter(TimeSpan.FromSeconds(waited));

    [Fact]
    public void A_delay_of_the_classifier_that_would_pass_the_deadline_ends_the_call() =>
        (Ordinary with { Result = Said(null, 100), Remaining = TimeSpan.FromSeconds(100) }).ShouldStop(StopReason.DeadlineWouldPass);

    [Fact]
    public void A_negative_delay_of_the_classifier_leaves_the_backoff() =>
        (Ordinary with { Result = Said(null, -1) }).ShouldRetryAfter(TimeSpan.FromSeconds(1));

    [Fact]
    public void Zero_and_nothing_leave_the_backoff()
    {
        Asked(0).ShouldRetryAfter(TimeSpan.FromSeconds(1));
        Ordinary.ShouldRetryAfter(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Without_ShouldRetryAfterHeader_the_backoff_applies()
    {
        var deaf = new RetryOptions { ShouldRetryAfterHeader = false, UseJitter = false };

        (Asked(30) with { Options = deaf }).ShouldRetryAfter(TimeSpan.FromSeconds(1));
        (Asked(3600) with { Options = deaf }).ShouldRetryAfter(TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(300, StopReason.None)]
    [InlineData(300.0000001, StopReason.RetryAfterTooLong)]
    [InlineData(5184000, StopReason.RetryAfterTooLong)]
    [InlineData(900000000000, StopReason.RetryAfterTooLong)]
    public void Longer_than_MaxRetryAfter_ends_the_call(double seconds, StopReason expected) =>
        (Asked(seconds) with { Remaining = TimeSpan.MaxValue }).Take().StopReason.ShouldBe(expected);

    [Fact]
    public void Sixty_seconds_under_a_deadline_of_thirty_end_the_call() =>
        (Asked(60) with { Remaining = TimeSpan.FromSeconds(30) }).ShouldStop(StopReason.DeadlineWouldPass);

    [Fact]
    public void Exactly_up_to_the_deadline_is_too_long()
    {
        (Asked(30) with { Remaining = TimeSpan.FromSeconds(30) }).ShouldStop(StopReason.DeadlineWouldPass);
        (Asked(30) with { Remaining = TimeSpan.FromSeconds(30) + TimeSpan.FromTicks(1) }).ShouldRetryAfter(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(0, 20)]
    [InlineData(0.5, 20.125)]
    [InlineData(0.8, 20.2)]
    public void Jitter_only_adds_to_it(double random, double seconds) =>
        (Asked(20) with { Options = new(), Random = random }).ShouldRetryAfter(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void Jitter_never_pushes_it_past_the_deadline()
    {
        var jittered = Asked(20) with { Options = new(), Random = 0.8 };

        (jittered with { Remaining = TimeSpan.FromSeconds(20.3) }).ShouldRetryAfter(TimeSpan.FromSeconds(20.2));
        (jittered with { Remaining = TimeSpan.FromSeconds(20.2) }).Take().Delay.ShouldBeInRange(
            TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20.2) - TimeSpan.FromTicks(1));
        (jittered with { Remaining = TimeSpan.FromSeconds(20.1) }).Take().Delay.ShouldBeInRange(
            TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20.1) - TimeSpan.FromTicks(1));
    }

    [Fact]
    public void Jitter_never_pushes_it_past_MaxRetryAfter() =>
        (Asked(300) with { Options = new(), Random = 0.9, Remaining = TimeSpan.MaxValue }).ShouldRetryAfter(TimeSpan.FromMinutes(5));

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public void Retry_After_applies_to_every_status_that_is_retried(int status) =>
        (Ordinary with
        {
            Result = FailureClassifier.Of(status, hasRetryAfter: true, keyed: false) with { RetryAfter = TimeSpan.FromSeconds(7) }
        })
            .ShouldRetryAfter(TimeSpan.FromSeconds(7));

    private static AttemptResult Said(int? retryAfter, int delay) => AttemptResult.Of(
        new(FailureClass.Transient)
        {
            RetryAfter = retryAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Delay = TimeSpan.FromSeconds(delay),
        }, 503);

    private static Decision Asked(double seconds) =>
        Ordinary with { Result = Ordinary.Result with { RetryAfter = TimeSpan.FromSeconds(seconds) } };
}
