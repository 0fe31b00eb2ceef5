using static HttpResilience.DeadLetterOptions;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>The fate of a failed request: replayed at a time, or left for review.</summary>
public sealed class DeadLetterDecisionTests
{
    private const string CheckIt = "Check whether it was processed; then resolve it, or replay it";

    public static TheoryData<FailureClass, string?> Actions => new()
    {
        { FailureClass.Transient, null },
        { FailureClass.ServerError, null },
        { FailureClass.RateLimited, null },
        { FailureClass.Authentication, "Check the API key" },
        { FailureClass.Authorization, "Check permissions" },
        { FailureClass.NotFound, "Check the endpoint or id" },
        { FailureClass.Conflict, "Fetch the current state and resubmit" },
        { FailureClass.Validation, "Fix the data and resubmit" },
        { FailureClass.Permanent, "Fix the error, then replay it" },
    };

    [Theory, MemberData(nameof(Actions))]
    public void A_transient_failure_is_replayed_and_any_other_requires_review_with_a_suggested_action(
        FailureClass failureClass, string? action)
    {
        var decision = After(failureClass);

        decision.Status.ShouldBe(action is null ? DeadLetterStatus.Pending : DeadLetterStatus.RequiresReview);
        decision.SuggestedAction.ShouldBe(action);
    }

    [Theory]
    [InlineData(FailureClass.None, false), InlineData(FailureClass.Cancelled, false)]
    [InlineData(FailureClass.Permanent, true), InlineData(FailureClass.Transient, true)]
    [InlineData(FailureClass.Validation, true), InlineData(FailureClass.Authentication, true)]
    public void Every_failure_but_a_cancellation_is_stored(FailureClass failureClass, bool kept) =>
        DeadLetterDecision.IsKept(failureClass, CancelledCalls.Never, wasOnTheWire: true).ShouldBe(kept);

    [Theory]
    [InlineData(null, false, "Fix the error, then replay it")]
    [InlineData(501, false, "Fix the data and resubmit")]
    [InlineData(null, true, DeadLetterDecision.CheckThenResolve)]
    [InlineData(501, true, "Fix the data and resubmit")]
    [InlineData(409, true, DeadLetterDecision.CheckThenResolve)]
    public void An_error_of_the_program_is_not_taken_for_one_of_the_data(int? status, bool maybeProcessed, string action) =>
        After(FailureClass.Permanent, new LetterFate(maybeProcessed, true, true, false).After(status, isGuarded: true))
            .SuggestedAction.ShouldBe(action);

    [Theory]
    [InlineData(CancelledCalls.WhenSent, true, true), InlineData(CancelledCalls.WhenSent, false, false)]
    [InlineData(CancelledCalls.Never, true, false), InlineData(CancelledCalls.Never, false, false)]
    public void A_cancelled_call_is_stored_for_review_when_it_was_on_the_wire(CancelledCalls keep, bool wasOnTheWire, bool kept)
    {
        DeadLetterDecision.IsKept(FailureClass.Cancelled, keep, wasOnTheWire).ShouldBe(kept);
        After(FailureClass.Cancelled).ShouldBe(
            new(DeadLetterStatus.RequiresReview, TimeSpan.Zero, DeadLetterDecision.CheckThenResolve));
    }

    [Theory]
    [InlineData(0, 1), InlineData(1, 2), InlineData(2, 4), InlineData(3, 8), InlineData(8, 256)]
    [InlineData(9, 360), InlineData(10, 360), InlineData(1000, 360)]
    public void The_delay_doubles_from_a_minute_to_six_hours(int replays, int minutes) =>
        After(FailureClass.Transient, replays: replays, maxReplays: int.MaxValue).Delay.ShouldBe(TimeSpan.FromMinutes(minutes));

    [Theory, InlineData(5, 5), InlineData(80_000, 80_000), InlineData(1_767_225_600, 86_400), InlineData(300_000_000_000, 86_400)]
    public void A_Retry_After_of_the_server_is_used_up_to_a_day(long seconds, int expected) =>
        After(FailureClass.RateLimited, retryAfter: TimeSpan.FromSeconds(seconds), replays: 4).Delay
            .ShouldBe(TimeSpan.FromSeconds(expected));

    [Fact]
    public void A_Retry_After_that_has_passed_is_ignored() =>
        After(FailureClass.Transient, retryAfter: TimeSpan.Zero).Delay.ShouldBe(TimeSpan.FromMinutes(1));

    [Theory, InlineData(9, true), InlineData(10, false), InlineData(11, false)]
    public void A_letter_requires_review_after_the_last_replay(int replays, bool again)
    {
        var decision = After(FailureClass.Transient, replays: replays);

        decision.Status.ShouldBe(again ? DeadLetterStatus.Pending : DeadLetterStatus.RequiresReview);
        decision.SuggestedAction.ShouldBe(again ? null : "Check that the API works, then replay it");
    }

    [Fact]
    public void A_request_that_may_have_been_processed_and_cannot_be_repeated_requires_review() =>
        After(FailureClass.Transient,
            new(MayHaveBeenProcessed: true, MayBeRepeated: false, NeedsKey: false, BodyIsMissing: false)).SuggestedAction.ShouldBe(CheckIt);

    [Fact]
    public void A_request_that_was_not_processed_is_replayed_even_if_it_cannot_be_repeated() =>
        After(FailureClass.Transient, new(MayHaveBeenProcessed: false, MayBeRepeated: false, NeedsKey: false, BodyIsMissing: false)).Status
            .ShouldBe(DeadLetterStatus.Pending);

    [Fact]
    public void A_letter_without_its_body_cannot_be_sent() =>
        After(FailureClass.Transient, new(false, true, false, BodyIsMissing: true)).SuggestedAction.ShouldBe(
            "Resubmit it from the source; its body could not be stored");

    /// <summary>Method, keyed, may have been processed, UnsafeMethods, a reconciler; what is known of it.</summary>
    public static TheoryData<string, bool, UnsafeMethods, bool, bool, bool> Fates => new()
    {
        { "POST", true, UnsafeMethods.WhenKeyed, false, true, true },
        { "POST", false, UnsafeMethods.WhenKeyed, false, false, true },
        { "POST", true, UnsafeMethods.Never, false, false, true },
        { "POST", false, UnsafeMethods.Always, false, true, false },
        { "POST", false, UnsafeMethods.WhenKeyed, true, true, false },
        { "PUT", false, UnsafeMethods.Never, false, true, false },
        { "DELETE", true, UnsafeMethods.WhenKeyed, false, true, false },
    };

    [Theory, MemberData(nameof(Fates))]
    public void Letters_may_be_repeated_under_the_same_rules_as_retries(
        string method, bool keyed, UnsafeMethods unsafeMethods, bool canBeFound, bool mayBeRepeated, bool needsKey)
    {
        var policy = RetryPolicy.From(new() { UnsafeMethods = unsafeMethods }, 1000);

        LetterFate.Of(policy, new(method), keyed, mayHaveBeenProcessed: true, bodyIsMissing: false, canBeFound).ShouldBe(
            new(true, mayBeRepeated, needsKey, false));
    }

    [Fact]
    public void A_letter_for_another_host_is_not_sent_even_when_approved() =>
        Before(Letter with { Resolution = Approved },
            mayGoThere: false)!.Value.SuggestedAction!.ShouldContain("DeadLetter:AllowedAuthorities");

    [Theory, InlineData(true, true, true), InlineData(false, true, false), InlineData(true, false, false)]
    public void A_letter_with_an_expired_key_requires_review_if_it_may_have_been_processed(
        bool mayHaveBeenProcessed, bool needsKey, bool review)
    {
        var fate = new LetterFate(mayHaveBeenProcessed, MayBeRepeated: true, needsKey, BodyIsMissing: false);

        (DeadLetterDecision.BeforeReplay(Letter, fate, mayGoThere: true, keyExpired: true)?.Status is DeadLetterStatus.RequiresReview)
            .ShouldBe(review);
        DeadLetterDecision.BeforeReplay(Letter, fate, mayGoThere: true, keyExpired: false).ShouldBeNull();
        DeadLetterDecision.BeforeReplay(Letter with { Resolution = Approved }, fate, mayGoThere: true, keyExpired: true).ShouldBeNull();
    }

    [Fact]
    public void A_letter_that_may_have_been_processed_is_not_sent_twice_unless_approved()
    {
        var fate = new LetterFate(MayHaveBeenProcessed: true, MayBeRepeated: false, NeedsKey: true, BodyIsMissing: false);

        DeadLetterDecision.BeforeReplay(Letter, fate, mayGoThere: true, keyExpired: false)!.Value.SuggestedAction.ShouldBe(CheckIt);
        DeadLetterDecision.BeforeReplay(Letter with { Resolution = Approved }, fate, mayGoThere: true, keyExpired: false).ShouldBeNull();
    }

    private static DeadLetterResolution Approved => new("Replay", null, "alice", DateTimeOffset.UnixEpoch);

    private static DeadLetter Letter { get; } = new()
    {
        Id = Guid.CreateVersion7(),
        ClientName = "api",
        Method = "POST",
        Uri = new("https://api.test/invoices"),
        FailureClass = FailureClass.Transient,
        StopReason = StopReason.AttemptsExhausted,
        FirstFailedAt = DateTimeOffset.UnixEpoch,
        LastFailedAt = DateTimeOffset.UnixEpoch,
        Status = DeadLetterStatus.Pending,
        DueAt = DateTimeOffset.UnixEpoch,
    };

    private static DeadLetterDecision? Before(DeadLetter letter, bool mayGoThere) =>
        DeadLetterDecision.BeforeReplay(letter, new(false, true, false, false), mayGoThere, keyExpired: false);

    private static DeadLetterDecision After(
        FailureClass failureClass, LetterFate? fate = null, TimeSpan? retryAfter = null, int replays = 0, int maxReplays = 10) =>
        DeadLetterDecision.AfterFailure(failureClass, fate ?? new(true, true, true, false), retryAfter, replays, maxReplays);
}
