namespace HttpResilience.Tests.Retry;

/// <summary>Each reason to stop, and which of several is the one that is told.</summary>
public sealed class RetryDecisionTests
{
    private static readonly Decision Ordinary = new();

    private static readonly AttemptResult Ambiguous = FailureClassifier.Of(500, hasRetryAfter: false, keyed: false);
    private static readonly AttemptResult NotProcessed = FailureClassifier.Of(429, hasRetryAfter: false, keyed: false);
    private static readonly AttemptResult NotSent =
        FailureClassifier.Classify(new HttpRequestException(HttpRequestError.ConnectionError), timedOut: false, cancelled: false);

    [Fact]
    public void A_passing_failure_is_repeated_after_the_backoff() => Ordinary.ShouldRetryAfter(TimeSpan.FromSeconds(1));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    public void The_backoff_grows_with_the_attempts(int attempt, double seconds) =>
        (Ordinary with { Attempt = attempt }).ShouldRetryAfter(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void A_cancelled_call_is_not_repeated() =>
        (Ordinary with { Result = FailureClassifier.Classify(new OperationCanceledException(), timedOut: false, cancelled: true) })
            .ShouldStop(StopReason.Cancelled);

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(422)]
    [InlineData(501)]
    [InlineData(505)]
    public void A_failure_that_another_attempt_cannot_change_is_not_retried(int status) =>
        (Ordinary with { Result = FailureClassifier.Of(status, hasRetryAfter: false, keyed: true), IsKeyed = true })
            .ShouldStop(StopReason.NotRetryable);

    [Fact]
    public void Nothing_is_repeated_after_the_deadline()
    {
        (Ordinary with { Remaining = TimeSpan.Zero }).ShouldStop(StopReason.DeadlinePassed);
        (Ordinary with { Remaining = TimeSpan.FromTicks(-1) }).ShouldStop(StopReason.DeadlinePassed);
    }

    [Fact]
    public void The_last_retry_is_the_one_that_MaxRetryAttempts_names()
    {
        (Ordinary with { Attempt = 3 }).Take().IsRetry.ShouldBeTrue();
        (Ordinary with { Attempt = 4 }).ShouldStop(StopReason.AttemptsExhausted);
        (Ordinary with { Options = new() { MaxRetryAttempts = 0 } }).ShouldStop(StopReason.AttemptsExhausted);
        (Ordinary with { Options = new() { MaxRetryAttempts = int.MaxValue, MaxDelay = TimeSpan.Zero }, Attempt = int.MaxValue })
            .Take().IsRetry.ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, 1, false)]
    [InlineData(1, 1, true)]
    [InlineData(1, 2, false)]
    [InlineData(9, 9, true)]
    public void The_number_of_attempts_of_the_call_takes_precedence_over_the_options(int ofCall, int attempt, bool isRetry) =>
        (Ordinary with { MaxRetryAttempts = ofCall, Attempt = attempt, Remaining = TimeSpan.MaxValue }).Take().StopReason
            .ShouldBe(isRetry ? StopReason.None : StopReason.AttemptsExhausted);

    [Fact]
    public void A_body_that_can_be_read_only_once_is_not_sent_again_after_a_response_or_a_broken_connection()
    {
        var once = Ordinary with { BodyIsReplayable = false };

        once.ShouldStop(StopReason.BodyNotReplayable);
        (once with { Result = NotProcessed }).ShouldStop(StopReason.BodyNotReplayable);
        (once with { Result = FailureClassifier.Classify(new IOException("x"), timedOut: false, cancelled: false) }).ShouldStop(
            StopReason.BodyNotReplayable);
        (once with { Result = FailureClassifier.Classify(new OperationCanceledException(), timedOut: true, cancelled: false) }).ShouldStop(
            StopReason.BodyNotReplayable);
    }

    [Fact]
    public void A_body_that_is_lost_is_not_sent_again_even_by_a_request_that_never_left_this_machine() =>
        (Ordinary with { BodyIsReplayable = false, Result = NotSent }).ShouldStop(StopReason.BodyNotReplayable);

    [Fact]
    public void A_wait_up_to_the_deadline_is_not_begun()
    {
        (Ordinary with { Remaining = TimeSpan.FromSeconds(1) }).ShouldStop(StopReason.DeadlineWouldPass);
        (Ordinary with { Remaining = TimeSpan.FromSeconds(1) + TimeSpan.FromTicks(1) }).ShouldRetryAfter(TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(UnsafeMethods.WhenKeyed, false, false)]
    [InlineData(UnsafeMethods.WhenKeyed, true, true)]
    [InlineData(UnsafeMethods.Never, false, false)]
    [InlineData(UnsafeMethods.Never, true, false)]
    [InlineData(UnsafeMethods.Always, false, true)]
    [InlineData(UnsafeMethods.Always, true, true)]
    public void A_POST_that_may_have_been_processed_is_repeated_as_UnsafeMethods_says(UnsafeMethods setting, bool isKeyed, bool isRetry)
    {
        var post =
            Ordinary with { IsIdempotent = false, IsKeyed = isKeyed, Result = Ambiguous, Options = new() { UnsafeMethods = setting } };

        post.Take().StopReason.ShouldBe(isRetry ? StopReason.None : StopReason.UnsafeMethod);
        // An idempotent method, what was not sent and what was not processed are repeated under every setting.
        (post with { IsIdempotent = true }).Take().IsRetry.ShouldBeTrue();
        (post with { Result = NotSent }).Take().IsRetry.ShouldBeTrue();
        (post with { Result = NotProcessed }).Take().IsRetry.ShouldBeTrue();
        (post with { Result = FailureClassifier.Of(503, hasRetryAfter: true, keyed: false) }).Take().IsRetry.ShouldBeTrue();
    }

    [Theory]
    [InlineData(400, true, StopReason.None)]
    [InlineData(404, true, StopReason.None)]
    [InlineData(503, false, StopReason.NotRetryable)]
    [InlineData(429, false, StopReason.NotRetryable)]
    public void The_servers_word_beats_the_status(int status, bool word, StopReason expected) =>
        (Ordinary with { Result = FailureClassifier.Of(status, hasRetryAfter: false, keyed: false) with { SaidRetry = word } })
            .Take().StopReason.ShouldBe(expected);

    [Fact]
    public void The_servers_word_does_not_make_an_unsafe_method_safe() =>
        (Ordinary with { IsIdempotent = false, Result = Ambiguous with { SaidRetry = true } }).ShouldStop(StopReason.UnsafeMethod);

    [Fact]
    public void The_first_of_several_reasons_is_reported()
    {
        var everythingWrong = new Decision
        {
            Result = new AttemptResult
            {
                FailureClass =
                FailureClass.Cancelled,
                StatusCode = 500,
                IsAmbiguous = true,
                RetryAfter = TimeSpan.FromSeconds(90)
            },
            Options = new() { MaxRetryAfter = TimeSpan.FromSeconds(60), UseJitter = false },
            IsIdempotent = false,
            BodyIsReplayable = false,
            Attempt = 4,
            Remaining = TimeSpan.Zero,
        };
        everythingWrong.ShouldStop(StopReason.Cancelled);

        var notCancelled = everythingWrong with { Result = everythingWrong.Result with { FailureClass = FailureClass.ServerError } };
        notCancelled.ShouldStop(StopReason.NotRetryable);

        var retryable = notCancelled with { Result = notCancelled.Result with { IsRetryable = true } };
        retryable.ShouldStop(StopReason.DeadlinePassed);

        var inTime = retryable with { Remaining = TimeSpan.FromSeconds(1) };
        inTime.ShouldStop(StopReason.UnsafeMethod);

        var safe = inTime with { IsIdempotent = true };
        safe.ShouldStop(StopReason.AttemptsExhausted);

        var firstAttempt = safe with { Attempt = 1 };
        firstAttempt.ShouldStop(StopReason.BodyNotReplayable);

        var replayable = firstAttempt with { BodyIsReplayable = true };
        replayable.ShouldStop(StopReason.RetryAfterTooLong);

        var shorter = replayable with { Result = replayable.Result with { RetryAfter = TimeSpan.FromSeconds(2) } };
        shorter.ShouldStop(StopReason.DeadlineWouldPass);

        (shorter with { Remaining = TimeSpan.FromSeconds(3) }).ShouldRetryAfter(TimeSpan.FromSeconds(2));
    }
}
