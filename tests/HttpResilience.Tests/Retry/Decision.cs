namespace HttpResilience.Tests.Retry;

/// <summary>The inputs of a decision; as they stand here, the first attempt of a GET got a 503 and is repeated after one second.</summary>
internal sealed record Decision
{
    internal AttemptResult Result { get; init; } = FailureClassifier.Of(503, hasRetryAfter: false, keyed: false);

    internal RetryOptions Options { get; init; } = new() { UseJitter = false };

    internal bool IsIdempotent { get; init; } = true;

    internal bool IsKeyed { get; init; }

    internal bool BodyIsReplayable { get; init; } = true;

    internal int? MaxRetryAttempts { get; init; }

    internal int Attempt { get; init; } = 1;

    internal TimeSpan Remaining { get; init; } = TimeSpan.FromSeconds(100);

    internal double Random { get; init; } = 0.5;

    internal RetryDecision Take() => RetryDecision.Decide(
        RetryPolicy.From(Options, TimeSpan.TicksPerSecond), Result,
        new RetryableRequest(IsIdempotent, IsKeyed, BodyIsReplayable, MaxRetryAttempts), Attempt, Remaining, Random, previousRandom: 0.5);

    internal void ShouldStop(StopReason reason)
    {
        var decision = Take();
        decision.StopReason.ShouldBe(reason);
        decision.IsRetry.ShouldBeFalse();
        decision.Delay.ShouldBe(TimeSpan.Zero);
    }

    internal void ShouldRetryAfter(TimeSpan delay)
    {
        var decision = Take();
        decision.StopReason.ShouldBe(StopReason.None);
        decision.IsRetry.ShouldBeTrue();
        decision.Delay.ShouldBe(delay);
    }
}
