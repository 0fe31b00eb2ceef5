using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>The replay worker on an in-memory store and a manual clock.</summary>
public sealed class ReplayTests : ReplayTestBase
{
    [Fact]
    public async Task A_letter_is_replayed_unchanged_with_its_own_key()
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
    public async Task A_failed_count_delays_no_letter()
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
    public async Task A_letter_that_fails_again_waits_longer_and_creates_no_second_letter()
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
    public async Task A_rejected_letter_requires_review()
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
    public async Task A_letter_for_another_host_is_not_sent()
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
    public async Task Another_scheme_or_port_counts_as_another_host(string authority)
    {
        var chain = Open();
        var (letter, own) = (Letter() with { Uri = new($"{authority}/invoices") }, Letter());
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Pending);
        await AddAsync(own);
        await UntilAsync(own, DeadLetterStatus.Replayed);

        chain.Server.Requests.Count.ShouldBe(1);
        chain.Logs.WithId(545).ShouldHaveSingleItem().Message.ShouldContain(letter.Authority);
        Store.Claims[^1].Except.ShouldContain(new DeadLetterDestination(Chain.Name, letter.Authority));
    }

    [Fact]
    public async Task A_person_who_requests_the_replay_of_a_letter_that_was_left_to_others_gets_the_reason()
    {
        var chain = Open();
        var (left, requested) = (Letter() with { Uri = new("https://evil.test/1") }, Letter() with { Uri = new("https://evil.test/2") });
        await AddAsync(left);
        await StartAsync();
        await UntilAsync(left, DeadLetterStatus.Pending);
        await AddAsync(requested with { Resolution = new("Replay", null, "alice", DateTimeOffset.UnixEpoch) });

        chain.Clock.Advance(TimeSpan.FromMinutes(1));

        await EventuallyAsync(() =>
        {
            // The worker may have looked before the minute was over, and begun to wait after it.
            Store.WakeUp();
            return Store.Letters.Single(l => l.Id == requested.Id).Status == DeadLetterStatus.RequiresReview;
        });
        chain.Server.Requests.ShouldBeEmpty();
        chain.Logs.WithId(545).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_letter_for_another_host_is_sent_once_the_configuration_allows_it()
    {
        var chain = Open();
        var letter = Letter() with { Uri = new("https://files.test/invoices") };
        await AddAsync(letter);
        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Pending);

        chain.Reload(("DeadLetter:AllowedAuthorities:0", "https://files.test"));
        Store.WakeUp();

        await UntilAsync(letter, DeadLetterStatus.Replayed);
        chain.Server.Requests.ShouldHaveSingleItem().Uri.ShouldBe(letter.Uri);
    }

    [Fact]
    public async Task A_letter_for_an_allowed_host_is_sent()
    {
        var chain = Open(o => o.DeadLetter.AllowedAuthorities = ["https://files.test"]);
        var letter = Letter() with { Uri = new("https://files.test/invoices") };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Replayed);

        chain.Server.Requests.ShouldHaveSingleItem().Uri.ShouldBe(letter.Uri);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task No_letter_is_sent_to_a_host_with_an_open_circuit_or_a_pending_Retry_After(bool pause)
    {
        var chain = Open(o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);
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
    public async Task A_long_replay_keeps_its_lease()
    {
        var chain = Open();
        var (begun, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        var letter = Letter();
        await AddAsync(letter);
        chain.Server.Script((_, _, token) => Answer(begun, answer, token));

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
    public async Task A_letter_taken_over_by_another_worker_is_abandoned()
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
    public async Task A_letter_in_flight_completes_when_the_host_stops()
    {
        var chain = Open();
        var (begun, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await AddAsync(Letter());
        chain.Server.Script((_, _, token) => Answer(begun, answer, token));
        await StartAsync();
        await begun.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);

        var stopping = Worker!.StopAsync(CancellationToken.None);
        stopping.IsCompleted.ShouldBeFalse();
        answer.SetResult();
        await stopping;

        Store.Letter.Status.ShouldBe(DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task A_letter_in_flight_is_cancelled_and_released_at_the_shutdown_timeout()
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
    public async Task No_more_letters_go_to_one_host_at_once_than_allowed_and_other_hosts_do_not_wait_for_it()
    {
        var chain = Open(o => o.DeadLetter.AllowedAuthorities = ["https://slow.test"],
            replay: o => (o.MaxConcurrency, o.MaxConcurrencyPerAuthority) = (4, 2));
        var answer = new TaskCompletionSource();
        int atOnce = 0;
        chain.Server.Script((_, _, token) =>
        {
            Interlocked.Increment(ref atOnce);
            return Answer(new(), answer, token);
        });
        for (int i = 0; i < 10; i++)
            await AddAsync(Letter() with { Uri = new("https://slow.test/invoices") });
        var other = Letter();
        await AddAsync(other);

        await StartAsync();
        await EventuallyAsync(() => chain.Server.Requests.Any(s => s.Uri.Host == "api.test") && Volatile.Read(ref atOnce) >= 3);

        chain.Server.Requests.Count(s => s.Uri.Host == "slow.test").ShouldBe(2);
        answer.SetResult();
        await EventuallyAsync(() => Store.Letters.All(l => l.Status is DeadLetterStatus.Replayed));
    }

    [Fact]
    public async Task A_failing_store_is_retried_at_growing_intervals()
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
    public async Task A_letter_without_a_key_that_may_have_been_processed_is_searched_for_first()
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
    public async Task A_failed_search_postpones_the_letter()
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
    public async Task Planted_headers_do_not_send_credentials_to_another_host()
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
    public async Task Replays_and_calls_share_circuits()
    {
        var chain = Open(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));
        var letter = Letter();
        await AddAsync(letter);
        chain.Server.Script(Replies.Status(503));

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.Pending);

        await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync());
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_letter_taken_over_while_it_waited_is_not_sent()
    {
        var chain = Open(replay: o => (o.MaxConcurrency, o.MaxConcurrencyPerAuthority) = (1, 1));
        var (begun, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        chain.Server.Script((_, _, token) => Answer(begun, answer, token));
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
    public async Task The_age_of_a_key_starts_at_the_first_failure()
    {
        var chain = Open();
        var letter = Letter() with { MayHaveBeenProcessed = true, FirstFailedAt = chain.Clock.GetUtcNow() - TimeSpan.FromDays(1) };
        await AddAsync(letter);

        await StartAsync();
        await UntilAsync(letter, DeadLetterStatus.RequiresReview);

        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_manual_replay_is_sent_by_this_process_and_no_worker_claims_it_meanwhile()
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
        (meanwhile!.Status, meanwhile.DueAt).ShouldBe(
            (DeadLetterStatus.InProgress, chain.Clock.GetUtcNow() + DeadLetterReplayer.LeaseLength));
        Store.Letters.Single(l => l.Id == other.Id).ShouldBe(untouched);
        chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("key-1");
    }

    [Fact]
    public async Task A_failed_manual_replay_is_reported_and_stored()
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
    public async Task A_cancelled_manual_replay_is_due_again_at_once()
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
    public async Task A_letter_that_cannot_be_sent_now_is_not_changed(DeadLetterStatus status, string client, bool enabled)
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

    private DeadLetterReview Review() => new(
        Store.DeadLetters, OpenChain.Services.GetRequiredService<DeadLetterReplayer>,
        new(Store.DeadLetters, Store.Storage.Instances, "test", replays: [], _ => true, OpenChain.Clock), OpenChain.Clock, meter: null);

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
