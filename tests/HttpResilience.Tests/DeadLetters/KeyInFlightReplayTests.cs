namespace HttpResilience.Tests.DeadLetters;

/// <summary>The attempts of a letter's call come before the first attempt of its replay.</summary>
public sealed class KeyInFlightReplayTests : ReplayTestBase
{
    [Fact]
    public async Task A_409_to_a_letter_that_may_have_been_processed_is_repeated_under_its_key()
    {
        var chain = Open(o => o.Retry.MaxRetryAttempts = 1);
        var letter = Letter() with { MayHaveBeenProcessed = true };
        await AddAsync(letter);
        chain.Server.Script(Replies.Status(409), Replies.Status(201));

        await StartAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        await UntilAsync(letter, DeadLetterStatus.Replayed);

        chain.Server.Requests.Select(r => r.IdempotencyKey).ShouldBe(["key-1", "key-1"]);
    }

    [Fact]
    public async Task A_409_to_a_letter_that_was_not_processed_is_a_conflict()
    {
        var chain = Open(o => o.Retry.MaxRetryAttempts = 1);
        var letter = Letter() with { MayHaveBeenProcessed = false };
        await AddAsync(letter);
        chain.Server.Script(Replies.Status(409), Replies.Status(201));

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.RequiresReview);

        chain.Server.Requests.ShouldHaveSingleItem();
        (Store.Letter.FailureClass, Store.Letter.SuggestedAction).ShouldBe(
            (FailureClass.Conflict, "Fetch the current state and resubmit"));
    }
}
