using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>The worker that sends letters again, on a store in memory and a clock that stands still.</summary>
public sealed class ReplayTests : ReplayTestBase
{
    [Fact]
    public async Task A_letter_is_sent_again_as_it_was_with_its_own_key()
    {
        var chain = Open();
        var letter = Letter() with
        {
            Headers = [new("X-Version", "1"), new("X-Version", "2"), new("Content-Type", "application/json")],
            Tenant = "comp1"
        };
        await AddAsync(letter);
        chain.Server.Script(Replies.Status(201));

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Replayed);

        var sent = chain.Server.Requests.ShouldHaveSingleItem();
        (sent.Method, sent.Uri, sent.Text, sent.IdempotencyKey).ShouldBe((HttpMethod.Post, letter.Uri, "{}", "key-1"));
        (sent.Headers["X-Version"], sent.Headers["Content-Type"], sent.Headers["Authorization"]).ShouldBe(
            ("1, 2", "application/json", "Bearer fresh"));
        var after = Store.Letter;
        (after.Replays, after.Attempts, after.StatusCode, after.DueAt).ShouldBe((1, 5, 201, chain.Clock.GetUtcNow()));
        chain.Logs.Call["Tenant"].ShouldBe("comp1");
    }

    [Fact]
    public async Task A_count_that_fails_keeps_no_letter_waiting()
    {
        var chain = Open();
        (Store.Fails, Store.FailsOn) = (new HttpResilienceStorageException("too slow"), nameof(IDeadLetterStore.CountAsync));
        chain.Server.Script(Replies.Status(201));
        await StartAsync();
        await ClaimsAsync(1);

        var letter = Letter();
        await AddAsync(letter);
        Store.WakeUp();
        await UntilAsync(letter, DeadLetterStatus.Replayed);

        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
        chain.Logs.WithId(516).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Warning);
        chain.Logs.WithId(514).ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_fails_again_waits_longer_and_makes_no_second_letter()
    {
        var chain = Open();
        var letter = Letter() with { Replays = 2 };
        await AddAsync(letter);
        chain.Server.Script(Replies.Status(503, "busy"));

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Pending);

        var after = Store.Letter;
        (after.Replays, after.Attempts, after.ErrorTitle, after.DueAt - chain.Clock.GetUtcNow()).ShouldBe(
            (3, 5, "busy", TimeSpan.FromMinutes(8)));
    }

    [Fact]
    public async Task One_that_is_refused_goes_to_a_person()
    {
        var chain = Open();
        var letter = Letter();
        await AddAsync(letter);
        chain.Server.Script(Replies.Status(401));

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.RequiresReview);

        (Store.Letter.SuggestedAction, Store.Letter.FailureClass).ShouldBe(("Check the API key", FailureClass.Authentication));
        chain.Logs.WithId(511).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Warning);
    }

    [Fact]
    public async Task A_row_with_another_host_is_not_sent()
    {
        var chain = Open();
        var letter =
            Letter() with { Uri = new("https://evil.test/invoices"), Resolution = new("Replay", null, "alice", DateTimeOffset.UnixEpoch) };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.RequiresReview);

        chain.Server.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://api.test"), InlineData("https://api.test:8443")]
    [InlineData("https://api.test.evil.test"), InlineData("https://api.testing")]
    public async Task Another_scheme_or_port_is_another_host(string authority)
    {
        var chain = Open();
        var letter = Letter() with { Uri = new($"{authority}/invoices") };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.RequiresReview);

        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_host_that_configuration_allows_is_sent_to()
    {
        var chain = Open(o => o.DeadLetter.AllowedAuthorities = ["https://files.test"]);
        var letter = Letter() with { Uri = new("https://files.test/invoices") };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Replayed);

        chain.Server.Requests.ShouldHaveSingleItem().Uri.ShouldBe(letter.Uri);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_host_whose_circuit_is_open_or_that_asked_for_a_pause_is_left_alone(bool pause)
    {
        var chain = Open(o => o.CircuitBreaker.FailureThreshold = 1);
        chain.Server.Script(pause ? Replies.Status(429, ("Retry-After", "60")) : Replies.Status(503));
        (await chain.GetAsync()).Dispose();
        var letter = Letter();
        await AddAsync(letter);

        await StartAsync();
        await ClaimsAsync(1);

        Store.Claims[^1].Except.ShouldBe([new("api", "https://api.test")]);
        Store.Letter.Status.ShouldBe(DeadLetterStatus.Pending);
        chain.Server.Script(Replies.Status(200));
        chain.Clock.Advance(TimeSpan.FromSeconds(61));
        Store.WakeUp();
        await UntilAsync(letter, DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task A_long_sending_keeps_its_lease()
    {
        var chain = Open();
        var (begun, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        var letter = Letter();
        await AddAsync(letter);
        chain.Server.Script((_, _, _) => Answer(begun, answer));

        await StartAsync();
        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);
        for (int tick = 1; tick <= 2; tick++)
        {
            var due = Store.Letter.DueAt;
            chain.Clock.Advance(TimeSpan.FromSeconds(10));
            await EventuallyAsync(() => Store.Letter.DueAt > due);
            Store.Letter.DueAt.ShouldBe(chain.Clock.GetUtcNow() + TimeSpan.FromSeconds(30));
        }

        answer.SetResult();
        await UntilAsync(letter, DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task A_letter_that_another_worker_took_over_is_let_go()
    {
        var chain = Open();
        var begun = new TaskCompletionSource();
        var letter = Letter();
        await AddAsync(letter);
        chain.Server.Script(Replies.Hangs(begun));

        await StartAsync();
        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);
        await Store.DeadLetters.UpdateAsync(Store.Letter with { ErrorTitle = "another's" }, CancellationToken.None);
        chain.Clock.Advance(TimeSpan.FromSeconds(10));

        await EventuallyAsync(() => chain.Logs.WithId(512).Count == 1);
        (Store.Letter.ErrorTitle, Store.Letter.Status).ShouldBe(("another's", DeadLetterStatus.InProgress));
    }

    [Fact]
    public async Task When_the_host_stops_what_is_on_its_way_may_end()
    {
        var chain = Open();
        var (begun, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await AddAsync(Letter());
        chain.Server.Script((_, _, _) => Answer(begun, answer));
        await StartAsync();
        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);

        var stopping = Worker!.StopAsync(CancellationToken.None);
        stopping.IsCompleted.ShouldBeFalse();
        answer.SetResult();
        await stopping;

        Store.Letter.Status.ShouldBe(DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task When_the_host_loses_patience_it_is_cut_off_and_given_back()
    {
        var chain = Open();
        var begun = new TaskCompletionSource();
        await AddAsync(Letter());
        chain.Server.Script(Replies.Hangs(begun));
        await StartAsync();
        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);

        await Worker!.StopAsync(new CancellationToken(canceled: true));

        (Store.Letter.Status, Store.Letter.DueAt, Store.Letter.Replays, Store.Letter.MayHaveBeenProcessed)
            .ShouldBe((DeadLetterStatus.Pending, chain.Clock.GetUtcNow(), 0, true));
    }

    [Fact]
    public async Task No_more_go_to_one_host_at_once_than_are_allowed_and_the_others_do_not_wait_for_it()
    {
        var chain = Open(o => o.DeadLetter.AllowedAuthorities = ["https://slow.test"],
            replay: o => (o.MaxConcurrency, o.MaxConcurrencyPerAuthority) = (4, 2));
        var answer = new TaskCompletionSource();
        int atOnce = 0;
        chain.Server.Script((_, _, _) =>
        {
            Interlocked.Increment(ref atOnce);
            return Answer(new(), answer);
        });
        for (int i = 0; i < 10; i++)
            await AddAsync(Letter() with { Uri = new("https://slow.test/invoices") });
        var other = Letter();
        await AddAsync(other);

        await StartAsync();
        await EventuallyAsync(() => chain.Server.Requests.Any(s => s.Uri.Host == "api.test"));

        chain.Server.Requests.Count(s => s.Uri.Host == "slow.test").ShouldBe(2);
        answer.SetResult();
        await EventuallyAsync(() => Store.Letters.All(l => l.Status is DeadLetterStatus.Replayed));
    }

    [Fact]
    public async Task AStore_that_fails_is_asked_again_later_and_later()
    {
        var chain = Open();
        Store.Fails = new HttpResilienceStorageException("gone");

        await StartAsync();
        foreach (int seconds in (int[])[1, 2, 4, 8, 16, 32, 60, 60])
        {
            await EventuallyAsync(() => chain.Logs.WithId(514).Any(e => e["Seconds"] is double s && s == seconds));
            await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(seconds));
            chain.Clock.Advance(TimeSpan.FromSeconds(seconds));
        }

        var letter = Letter();
        Store.Fails = null;
        await AddAsync(letter);
        await EventuallyAsync(() => chain.Logs.WithId(514).Count >= 9);
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(60));
        chain.Clock.Advance(TimeSpan.FromSeconds(60));
        await UntilAsync(letter, DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task An_unkeyed_letter_that_may_have_been_processed_is_looked_for_first()
    {
        var chain = Open(o => o.Idempotency.Enabled = false, services: s => s.AddSingleton<IReconciler, Finds>());
        var letter = Letter() with { IdempotencyKey = null, MayHaveBeenProcessed = true };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Replayed);

        chain.Server.Requests.ShouldBeEmpty();
        Store.Letter.StopReason.ShouldBe(StopReason.Reconciled);
    }

    [Fact]
    public async Task A_search_that_fails_leaves_the_letter_for_later()
    {
        var chain = Open(o => o.Idempotency.Enabled = false, services: s => s.AddSingleton<IReconciler, Fails>());
        var letter = Letter() with { IdempotencyKey = null, MayHaveBeenProcessed = true };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Pending);

        chain.Server.Requests.ShouldBeEmpty();
        (Store.Letter.FailureClass, Store.Letter.StopReason, Store.Letter.Replays).ShouldBe(
            (FailureClass.Transient, StopReason.UnsafeMethod, 1));
    }

    [Fact]
    public async Task What_somebody_put_into_the_row_does_not_lead_credentials_elsewhere()
    {
        var chain = Open();
        var letter =
            Letter() with { Headers = [new("Host", "evil.test"), new("Transfer-Encoding", "chunked"), new("X-Api-Key", "planted")] };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Replayed);

        var sent = chain.Server.Requests.ShouldHaveSingleItem();
        sent.Headers.Keys.ShouldNotContain("Host");
        sent.Headers.Keys.ShouldNotContain("Transfer-Encoding");
        sent.Headers.Keys.ShouldNotContain("X-Api-Key");
    }

    [Fact]
    public async Task A_letter_that_waited_so_long_that_another_took_it_is_not_sent()
    {
        var chain = Open(replay: o => (o.MaxConcurrency, o.MaxConcurrencyPerAuthority) = (1, 1));
        var (begun, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        chain.Server.Script((_, _, _) => Answer(begun, answer));
        await AddAsync(Letter());
        await StartAsync();
        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);
        var waiting = Letter();
        await AddAsync(waiting);
        Store.WakeUp();
        await EventuallyAsync(() => Store.Letters.Single(l => l.Id == waiting.Id).Status is DeadLetterStatus.InProgress);

        await Store.DeadLetters.UpdateAsync(
            Store.Letters.Single(l => l.Id == waiting.Id) with { ErrorTitle = "another's" }, CancellationToken.None);
        chain.Clock.Advance(TimeSpan.FromSeconds(25));
        answer.SetResult();

        await EventuallyAsync(() => chain.Logs.WithId(512).Count == 1);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_age_of_a_key_counts_from_the_first_failure()
    {
        var chain = Open();
        var letter = Letter() with { MayHaveBeenProcessed = true, FirstFailedAt = chain.Clock.GetUtcNow() - TimeSpan.FromDays(1) };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.RequiresReview);

        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_a_person_wants_now_is_sent_from_here_and_no_worker_takes_it_meanwhile()
    {
        var chain = Open();
        var (letter, other) = (Letter() with { Status = DeadLetterStatus.RequiresReview, MayHaveBeenProcessed = true }, Letter());
        await AddAsync(letter);
        await AddAsync(other);
        var untouched = Store.Letters.Single(l => l.Id == other.Id);
        DeadLetter? meanwhile = null;
        chain.Server.Script((_, _, _) =>
        {
            meanwhile = Store.Letters.Single(l => l.Id == letter.Id);
            return Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.Created));
        });

        var after = await Review().SendAsync(letter.Id, "alice", CancellationToken.None);

        (after.Status, after.Replays, after.Resolution?.By).ShouldBe((DeadLetterStatus.Replayed, 1, "alice"));
        after.ShouldBe(Store.Letters.Single(l => l.Id == letter.Id));
        (meanwhile!.Status, meanwhile.DueAt).ShouldBe((DeadLetterStatus.InProgress, chain.Clock.GetUtcNow() + DeadLetterReplayer.LeaseLength));
        Store.Letters.Single(l => l.Id == other.Id).ShouldBe(untouched);
        chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("key-1");
    }

    [Fact]
    public async Task One_that_a_person_wants_now_and_that_fails_is_told_and_kept()
    {
        var chain = Open();
        var letter = Letter();
        await AddAsync(letter);
        chain.Server.Script(Replies.Status(403));

        var after = await Review().SendAsync(letter.Id, "alice", CancellationToken.None);

        (after.Status, after.SuggestedAction, after.StatusCode).ShouldBe((DeadLetterStatus.RequiresReview, "Check permissions", 403));
        after.ShouldBe(Store.Letter);
    }

    [Fact]
    public async Task One_whose_sending_is_cut_off_is_due_again_at_once()
    {
        var chain = Open();
        var letter = Letter();
        await AddAsync(letter);
        using var enough = new CancellationTokenSource();
        chain.Server.Script(async (_, _, cancellationToken) =>
        {
            await enough.CancelAsync();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException("It was not cut off.");
        });

        await Should.ThrowAsync<OperationCanceledException>(Review().SendAsync(letter.Id, "alice", enough.Token));

        (Store.Letter.Status, Store.Letter.DueAt, Store.Letter.MayHaveBeenProcessed).ShouldBe(
            (DeadLetterStatus.Pending, chain.Clock.GetUtcNow(), true));
    }

    [Theory]
    [InlineData(DeadLetterStatus.InProgress, Chain.Name, true)]
    [InlineData(DeadLetterStatus.Replayed, Chain.Name, true)]
    [InlineData(DeadLetterStatus.Pending, "somebody-else", true)]
    [InlineData(DeadLetterStatus.Pending, Chain.Name, false)]
    public async Task One_that_cannot_be_sent_now_is_left_as_it_is(DeadLetterStatus status, string client, bool enabled)
    {
        var chain = Open(o => o.DeadLetter.Enabled = enabled);
        var letter = Letter() with { Status = status, ClientName = client };
        await AddAsync(letter);
        var stored = Store.Letter;

        await Should.ThrowAsync<InvalidOperationException>(Review().SendAsync(letter.Id, "alice", CancellationToken.None));
        await Should.ThrowAsync<KeyNotFoundException>(Review().SendAsync(Guid.NewGuid(), "alice", CancellationToken.None));

        Store.Letter.ShouldBe(stored);
        chain.Server.Requests.ShouldBeEmpty();
    }

    private DeadLetterReview Review() => new(Store.DeadLetters, OpenChain.Services.GetRequiredService<DeadLetterReplayer>, OpenChain.Clock);

    private sealed class Fails : IReconciler
    {
        public ValueTask<HttpResponseMessage?> FindAsync(
            HttpCall httpCall, HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new IOException("search is down");
    }

    private sealed class Finds : IReconciler
    {
        public ValueTask<HttpResponseMessage?> FindAsync(
            HttpCall httpCall, HttpRequestMessage request, CancellationToken cancellationToken) =>
            new(new HttpResponseMessage(System.Net.HttpStatusCode.OK));
    }
}
