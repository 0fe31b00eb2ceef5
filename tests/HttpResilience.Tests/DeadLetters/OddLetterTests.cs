using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>Letters of edited rows, letters that end the process, and letters that take much memory.</summary>
public sealed class OddLetterTests : ReplayTestBase
{
    private const string Smuggled = "a\r\nHost: elsewhere\r\n\r\nPOST /admin HTTP/1.1";

    public static TheoryData<string> Edits => new(
        "method", "method with blank", "header value", "header value LF", "header value NUL", "header name", "key", "key name", "scheme",
        "original URI");

    [Theory, MemberData(nameof(Edits))]
    public async Task A_letter_that_is_no_request_of_HTTP_requires_review_and_is_not_sent(string edit)
    {
        var chain = Open();
        var letter = Edited(Letter(), edit);
        var good = Letter() with { IdempotencyKey = "key-2", DueAt = letter.DueAt.AddSeconds(1) };
        chain.Clock.Advance(TimeSpan.FromSeconds(2));
        chain.Server.Script(Replies.Status(200));
        await AddAsync(letter);
        await AddAsync(good);

        await StartAsync();

        await UntilAsync(letter, DeadLetterStatus.RequiresReview);
        await UntilAsync(good, DeadLetterStatus.Replayed);
        Store.Letters.Single(l => l.Id == letter.Id).SuggestedAction.ShouldNotBeNull().ShouldStartWith(DeadLetterDecision.CannotBeSent);
        chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("key-2");
        chain.Logs.Entries.ShouldAllBe(l => !l.Message.Contains('\n') && !l.Message.Contains('\r'));
    }

    [Fact]
    public async Task A_replay_at_once_does_not_send_such_a_letter_either()
    {
        var chain = Open();
        var letter = Edited(Letter(), "header value") with { Status = DeadLetterStatus.RequiresReview };
        await AddAsync(letter);

        var sent = await Review(chain).SendAsync(letter.Id, "alice", CancellationToken.None);

        sent.Status.ShouldBe(DeadLetterStatus.RequiresReview);
        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_correction_that_is_no_request_of_HTTP_is_rejected()
    {
        var chain = Open();
        var letter = Letter() with { Status = DeadLetterStatus.RequiresReview };
        await AddAsync(letter);
        var review = Review(chain);

        await Should.ThrowAsync<ArgumentException>(
            () => review.ResubmitAsync(letter.Id, l => l with { Headers = [new("X-A", Smuggled)] }, "alice", CancellationToken.None));
        await Should.ThrowAsync<ArgumentException>(
            () => review.ResubmitAsync(letter.Id, l => l with { Headers = [new("X A", "a")] }, "alice", CancellationToken.None));
    }

    [Fact]
    public async Task Tags_and_tenant_of_an_edited_row_forge_no_line()
    {
        var chain = Open();
        var letter = Letter() with { Tenant = Smuggled, Tags = new Dictionary<string, string> { [Smuggled] = Smuggled } };
        chain.Server.Script(Replies.Status(200));
        await AddAsync(letter);

        await StartAsync();

        await UntilAsync(letter, DeadLetterStatus.Replayed);
        var line = chain.Logs.Calls.ShouldHaveSingleItem();
        line["Tenant"].ShouldBe(Smuggled.Replace('\r', ' ').Replace('\n', ' '));
        line.Properties.ShouldAllBe(p => !p.Key.Contains('\n') && !$"{p.Value}".Contains('\n'));
    }

    [Theory, InlineData(3), InlineData(4), InlineData(int.MaxValue)]
    public async Task A_letter_whose_worker_fell_silent_three_times_requires_review(int takeovers)
    {
        var chain = Open();
        var letter = Letter() with { Takeovers = takeovers, MayHaveBeenProcessed = true };
        await AddAsync(letter);

        await StartAsync();

        await UntilAsync(letter, DeadLetterStatus.RequiresReview);
        Store.Letter.SuggestedAction.ShouldBe(DeadLetterDecision.EndsTheProcess);
        chain.Server.Requests.ShouldBeEmpty();

        // A person has found the reason.
        chain.Server.Script(Replies.Status(200));
        await Review(chain).ReplayAsync(letter.Id, "alice", CancellationToken.None);
        await UntilAsync(letter, DeadLetterStatus.Replayed);
    }

    [Theory, InlineData(200, DeadLetterStatus.Replayed), InlineData(503, DeadLetterStatus.Pending)]
    [InlineData(400, DeadLetterStatus.RequiresReview)]
    public async Task A_result_is_a_word(int status, DeadLetterStatus expected)
    {
        var chain = Open();
        var letter = Letter() with { Takeovers = 2 };
        chain.Server.Script(Replies.Status(status));
        await AddAsync(letter);

        await StartAsync();

        await EventuallyAsync(() => Store.Letter is { Status: not DeadLetterStatus.InProgress } && Store.Letter.Version >= 2);
        (Store.Letter.Status, Store.Letter.Takeovers).ShouldBe((expected, 0));
    }

    [Fact]
    public async Task A_letter_that_waits_for_its_turn_is_not_counted_as_one_that_ends_the_process()
    {
        var chain = Open();
        TaskCompletionSource begun = new(), answer = new(), claimed = new();
        chain.Server.Script((_, _, cancel) => Answer(begun, answer, cancel), Replies.Status(200));
        var first = Letter() with { Takeovers = 2, IdempotencyKey = "first" };
        await AddAsync(first);
        await StartAsync();
        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);

        // Its worker died: the lease has ended.
        var second = Letter() with { Takeovers = 2, IdempotencyKey = "second", Status = DeadLetterStatus.InProgress };
        int takeovers = 0;
        Store.Before(nameof(IDeadLetterStore.UpdateAsync), () =>
        {
            takeovers = Store.Letters.Single(l => l.Id == second.Id).Takeovers;
            claimed.TrySetResult();
        });
        await AddAsync(second);

        await claimed.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);
        // A death now would leave it in progress with this number.
        takeovers.ShouldBe(2);
        answer.SetResult();
        await UntilAsync(first, DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task Letters_in_hand_at_two_deaths_are_sent_one_at_a_time()
    {
        var chain = Open();
        TaskCompletionSource begun = new(), answer = new();
        chain.Server.Script((_, _, cancel) => Answer(begun, answer, cancel), Replies.Status(200));
        DeadLetter[] suspects = [.. Enumerable.Range(0, 5).Select(i => Letter() with { Takeovers = 2, IdempotencyKey = $"suspect-{i}" })];
        foreach (var letter in suspects)
            await AddAsync(letter);

        await StartAsync();

        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);
        await EventuallyAsync(() => Store.Letters.Count(l => l.Status is DeadLetterStatus.Pending) == 4);
        chain.Server.Requests.Count.ShouldBe(1);
        // A death now would count for one letter.
        Store.Letters.Where(l => l.Status is DeadLetterStatus.InProgress).ShouldHaveSingleItem().Takeovers.ShouldBe(3);
        Store.Letters.Where(l => l.Status is DeadLetterStatus.Pending).ShouldAllBe(l => l.Takeovers == 2);

        answer.SetResult();
        using var hang = new CancellationTokenSource(Hang);
        while (Store.Letters.Count(l => l.Status is DeadLetterStatus.Replayed) < 5)
        {
            chain.Clock.Advance(TimeSpan.FromSeconds(1));
            // Wakes the worker, whose store has a clock that stands still.
            await AddAsync(Letter() with { Status = DeadLetterStatus.Resolved });
            await Task.Delay(10, hang.Token);
        }

        chain.Server.Requests.Count.ShouldBe(5);
    }

    [Fact]
    public async Task The_letters_in_hand_are_bounded_by_their_bytes()
    {
        var chain = Open(replay: r => (r.MaxConcurrency, r.MaxConcurrencyPerAuthority) = (100, 100));
        TaskCompletionSource begun = new(), answer = new();
        chain.Server.Script((_, _, cancel) => Answer(begun, answer, cancel));
        byte[] body = new byte[8 * 1024 * 1024 - 2048];
        for (int i = 0; i < 20; i++)
            await AddAsync(Letter() with { Body = body, IdempotencyKey = $"key-{i}" });

        await StartAsync();

        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);
        await EventuallyAsync(() => Store.Letters.Count(l => l.Status is DeadLetterStatus.InProgress) == 5);
        // The fifth takes the rest, as one letter is claimed whatever its size.
        chain.Server.Requests.Count.ShouldBeLessThanOrEqualTo(5);
        answer.SetResult();
        await EventuallyAsync(() => Store.Letters.All(l => l.Status is DeadLetterStatus.Replayed));
        Store.Claims.ShouldAllBe(c => c.MaxBytes <= 32 * 1024 * 1024);
    }

    [Fact]
    public async Task Replaying_many_reads_no_body()
    {
        var chain = Open();
        for (int i = 0; i < 3; i++)
            await AddAsync(Letter() with { Status = DeadLetterStatus.RequiresReview, Body = new byte[] { 1, 2, 3 } });
        List<DeadLetterQuery> queries = [];
        Store.Storage.Intercept = (operation, run) =>
        {
            if (operation.Argument is DeadLetterQuery query)
                queries.Add(query);
            return run();
        };

        int count = await Review(chain).ReplayManyAsync(
            new(), 1000, "alice", null, CancellationToken.None);

        count.ShouldBe(3);
        queries.ShouldAllBe(q => q.OmitBodies);
        var noted = (await Store.Storage.Activity.ListAsync(null, 10, CancellationToken.None)).ShouldHaveSingleItem();
        (noted.Action, noted.By, noted.Letters).ShouldBe(("Replay", "alice", 3));
        Store.Letters.ShouldAllBe(l => l.Status == DeadLetterStatus.Pending && l.Body!.Value.Length == 3);
    }

    [Fact]
    public async Task Of_many_letters_one_that_changes_meanwhile_stays_and_the_others_are_written_down_with_their_replay()
    {
        var chain = Open();
        for (int i = 0; i < 3; i++)
            await AddAsync(Letter() with { Status = DeadLetterStatus.RequiresReview });
        var changed = Store.Letters[0];
        Store.Storage.Intercept = async (operation, run) =>
        {
            if (operation.Method == nameof(IDeadLetterStore.CommitAsync))
            {
                Store.Storage.Intercept = null;
                await Store.DeadLetters.UpdateAsync(changed with { SuggestedAction = "Call them" }, CancellationToken.None);
            }

            await run();
        };

        (await Review(chain).ReplayManyAsync(new(), 1000, "alice", null, CancellationToken.None)).ShouldBe(2);

        Store.Letters.Count(l => l.Status == DeadLetterStatus.Pending).ShouldBe(2);
        Store.Letters.Single(l => l.Id == changed.Id).SuggestedAction.ShouldBe("Call them");
        (await Store.Storage.Activity.ListAsync(null, 10, CancellationToken.None)).Sum(a => a.Letters).ShouldBe(2);
    }

    private DeadLetterReview Review(Chain chain) =>
        new(
            Store.DeadLetters, chain.Services.GetRequiredService<DeadLetterReplayer>,
            new(Store.DeadLetters, Store.Instances, "test", replays: [], _ => true, chain.Clock), chain.Clock, meter: null);

    private static DeadLetter Edited(DeadLetter letter, string edit) => edit switch
    {
        "method" => letter with { Method = "GET /admin HTTP/1.1\r\nX: POST" },
        "method with blank" => letter with { Method = "GET /admin" },
        "header value" => letter with { Headers = [new("X-A", Smuggled)] },
        "header value LF" => letter with { Headers = [new("Accept", "a\nX-B: b")] },
        "header value NUL" => letter with { Headers = [new("X-A", "a\0b")] },
        "header name" => letter with { Headers = [new("X-A: b\r\nX-B", "b")] },
        "key" => letter with { IdempotencyKey = "key\r\nX-B: b" },
        "key name" => letter with { IdempotencyHeaderName = "Key\r\nX-B" },
        "scheme" => letter with { Uri = new("ftp://api.test/invoices") },
        _ => letter with { OriginalUri = "https://api.test/invoices HTTP/1.1\r\nX-B: b" },
    };
}
