using System.Net;
using HttpResilience.Tests.Http;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Idempotency;

/// <summary>A call whose key is remembered is answered, not sent.</summary>
public sealed class ResponseReplayTests : IDisposable
{
    private readonly TestStorage _store = new();
    private Chain? _chain;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_same_call_again_gets_the_same_response_and_nothing_is_sent(bool async)
    {
        var chain = Open();
        chain.Server.Script(Replies.With(() => new(HttpStatusCode.Created)
        {
            ReasonPhrase = "Made",
            Headers =
            {
                { "Location", "/invoices/7" },
                { "X-Twice", ["1", "2"] },
                { "Set-Cookie", "session=secret" },
                { "X-Api-Key", "secret" },
                { "Connection", "close" }
            },
            Content = new StringContent("{\"id\":7}", null, "application/json"),
        }));
        using var first = await chain.SendAsync(async, Keyed());

        using var second = await chain.SendAsync(async, Keyed());

        chain.Server.Requests.Count.ShouldBe(1);
        foreach (var response in (HttpResponseMessage[])[first, second])
        {
            (response.StatusCode, response.ReasonPhrase, response.Headers.Location!.ToString()).ShouldBe(
                (HttpStatusCode.Created, "Made", "/invoices/7"));
            response.Headers.GetValues("X-Twice").ShouldBe(["1", "2"]);
            (await response.Content.ReadAsStringAsync(Stop)).ShouldBe("{\"id\":7}");
            response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        }

        first.Headers.Contains("Set-Cookie").ShouldBeTrue();
        second.Headers.Select(h => h.Key).ShouldBe(["Location", "X-Twice"], ignoreOrder: true);
        (first.GetHttpCall()!.IsReplayed, first.GetHttpCall()!.StopReason).ShouldBe((false, StopReason.Succeeded));
        var call = second.GetHttpCall()!;
        (call.IsReplayed, call.StopReason, call.FailureClass, call.Attempts.Count, call.IdempotencyKey).ShouldBe(
            (true, StopReason.Replayed, FailureClass.None, 0, "comp1:1"));
        chain.Logs.Calls[1].Message.ShouldContain("201 in 0 ms, 0 attempts, Replayed");
        _store.Key.ExpiresAt.ShouldBe(chain.Clock.GetUtcNow() + TimeSpan.FromDays(7));
    }

    [Fact]
    public async Task A_refusal_is_stored_and_replayed()
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(422, "no such currency"), Replies.Status(201));
        (await chain.SendAsync(true, Keyed())).Dispose();

        using var again = await chain.SendAsync(true, Keyed());

        (again.StatusCode, await again.Content.ReadAsStringAsync(Stop)).ShouldBe((HttpStatusCode.UnprocessableEntity, "no such currency"));
        (again.GetHttpCall()!.FailureClass, again.GetHttpCall()!.IsReplayed).ShouldBe((FailureClass.Validation, true));
    }

    [Fact]
    public async Task A_call_that_was_not_processed_is_sent_again()
    {
        var chain = Open(o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script(Replies.Status(429), Replies.ConnectionRefused(), Replies.Status(401), Replies.Status(201));

        (await chain.SendAsync(true, Keyed())).Dispose();
        _store.Keys.ShouldBeEmpty();
        await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(true, Keyed()));
        _store.Keys.ShouldBeEmpty();
        (await chain.SendAsync(true, Keyed())).Dispose();
        _store.Keys.ShouldBeEmpty();
        (await chain.SendAsync(true, Keyed())).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("POST", "invoices", "{\"number\":2}", null), InlineData("PATCH", "invoices", "{\"number\":1}", null)]
    [InlineData("POST", "invoices?draft=1", "{\"number\":1}", null), InlineData("POST", "invoices", "{\"number\":1}", "comp2")]
    public async Task Another_request_under_the_key_is_not_sent(string method, string uri, string body, string? tenant)
    {
        var chain = Open();
        (await chain.SendAsync(true, Keyed())).Dispose();
        var other = new HttpRequestMessage(new(method), uri) { Content = new StringContent(body) }.WithIdempotencyKey("comp1:1");

        var failure = await Should.ThrowAsync<IdempotencyKeyReusedException>(
            () => chain.SendAsync(true, tenant is null ? other : other.WithTenant(tenant)));

        failure.IdempotencyKey.ShouldBe("comp1:1");
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Keys_from_content_are_stored_and_random_ones_are_not()
    {
        var chain = Open(o => o.Idempotency.KeySource = KeySource.Content);
        (await chain.PostAsync()).Dispose();
        (await chain.PostAsync()).GetHttpCall()!.IsReplayed.ShouldBeTrue();

        var random = Open();
        (await random.PostAsync()).Dispose();
        (await random.PostAsync()).Dispose();
        (await random.GetAsync()).Dispose();
        (random.Server.Requests.Count, _store.Begun.Count).ShouldBe((3, 2));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_second_of_two_at_once_waits_for_the_first(bool async)
    {
        var chain = Open();
        var other = await TakeAsync(chain);
        _store.Before(nameof(IIdempotencyStore.BeginAsync), () =>
        {
            if (_store.Begun.Count == 5)
                _store.IdempotencyKeys.CompleteAsync(other, new(201, null, [], "of the first"u8.ToArray()), DateTimeOffset.MaxValue, Stop);
        });

        using var response = await chain.SendAsync(async, Keyed());

        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe("of the first");
        (response.GetHttpCall()!.IsReplayed, chain.Server.Requests.Count).ShouldBe((true, 0));
        // Begun by the other; looked at after 0, 50, 150 and 350 ms.
        (_store.Begun.Count, chain.Clock.Elapsed.TotalMilliseconds).ShouldBe((5, 350));
    }

    [Fact]
    public async Task A_waiting_call_polls_once_a_second_at_least_and_is_sent_when_the_first_was_not_processed()
    {
        var chain = Open();
        var other = await TakeAsync(chain, TimeSpan.FromMinutes(1));
        _store.Before(nameof(IIdempotencyStore.BeginAsync), () =>
        {
            if (_store.Begun.Count == 10)
                _store.IdempotencyKeys.ForgetAsync(other, Stop);
        });

        using var response = await chain.SendAsync(true, Keyed());

        (response.GetHttpCall()!.IsReplayed, chain.Server.Requests.Count).ShouldBe((false, 1));
        var looks = _store.Begun.Skip(1).Select(r => (r.Now - ManualTimeProvider.DefaultStart).TotalMilliseconds).ToList();
        looks.Zip(looks.Skip(1), (a, b) => b - a).ShouldBe([50, 100, 200, 400, 800, 1000, 1000, 1000]);
    }

    [Fact]
    public async Task A_call_that_waits_longer_than_its_deadline_fails_with_the_reason()
    {
        var chain = Open(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        await TakeAsync(chain, TimeSpan.FromMinutes(5));

        var failure = (await Record.ExceptionAsync(() => chain.SendAsync(true, Keyed()))).ShouldBeOfType<TaskCanceledException>();

        failure.InnerException.ShouldBeOfType<TimeoutException>().Message.ShouldContain("TotalRequestTimeout (00:00:10)");
        (failure.GetHttpCall()!.StopReason, chain.Clock.Elapsed, chain.Server.Requests.Count).ShouldBe(
            (StopReason.DeadlinePassed, TimeSpan.FromSeconds(10), 0));
    }

    [Fact]
    public async Task A_call_that_is_cancelled_while_it_waits_ends()
    {
        var chain = Open();
        using var caller = new CancellationTokenSource();
        await TakeAsync(chain, TimeSpan.FromMinutes(5));
        _store.Before(nameof(IIdempotencyStore.BeginAsync), () =>
        {
            if (_store.Begun.Count == 4)
                caller.Cancel();
        });

        var failure = (await Record.ExceptionAsync(() => chain.SendAsync(true, Keyed(), caller.Token)))
            .ShouldBeAssignableTo<OperationCanceledException>()!;

        (failure.CancellationToken, failure.GetHttpCall()!.StopReason).ShouldBe((caller.Token, StopReason.Cancelled));
    }

    [Fact]
    public async Task A_call_in_doubt_is_sent_under_the_same_key_when_the_api_honours_keys()
    {
        var chain = Open();
        await TakeAsync(chain, TimeSpan.Zero);

        using var response = await chain.SendAsync(true, Keyed());

        chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("comp1:1");
        (response.GetHttpCall()!.MayHaveBeenProcessed, _store.Key.Response!.StatusCode, _store.Key.IsInDoubt).ShouldBe((true, 200, false));
    }

    public static TheoryData<bool, bool> Unsafe => new() { { true, false }, { false, true } };

    [Theory, MemberData(nameof(Unsafe))]
    public async Task A_call_in_doubt_whose_key_protects_nothing_is_looked_for_first(bool keyIsOld, bool neverRepeated)
    {
        var looks = new List<string>();
        var chain = Open(o => o.Retry.UnsafeMethods = neverRepeated ? UnsafeMethods.Never : UnsafeMethods.WhenKeyed,
            services => services.AddSingleton<IReconciler>(new Finds(looks, found: !keyIsOld)));
        await TakeAsync(chain, TimeSpan.Zero);
        chain.Clock.Advance(keyIsOld ? TimeSpan.FromDays(1) : TimeSpan.FromSeconds(1));

        using var response = await chain.SendAsync(true, Keyed());

        looks.ShouldBe(["comp1:1"]);
        chain.Server.Requests.Count.ShouldBe(keyIsOld ? 1 : 0);
        (response.GetHttpCall()!.StopReason, _store.Key.Response!.StatusCode)
            .ShouldBe(keyIsOld ? (StopReason.Succeeded, 200) : (StopReason.Reconciled, 209));
    }

    [Theory, MemberData(nameof(Unsafe))]
    public async Task A_call_in_doubt_is_not_sent_without_a_reconciler(bool keyIsOld, bool neverRepeated)
    {
        var chain = Open(o => o.Retry.UnsafeMethods = neverRepeated ? UnsafeMethods.Never : UnsafeMethods.WhenKeyed);
        await TakeAsync(chain, TimeSpan.Zero);
        chain.Clock.Advance(keyIsOld ? TimeSpan.FromDays(1) : TimeSpan.FromSeconds(1));

        for (int i = 0; i < 2; i++)
        {
            var failure = await Should.ThrowAsync<IdempotencyKeyInDoubtException>(() => chain.SendAsync(true, Keyed()));
            (failure.IdempotencyKey, failure.FirstSentAt, failure.GetHttpCall()!.StopReason)
                .ShouldBe(("comp1:1", ManualTimeProvider.DefaultStart, StopReason.KeyInDoubt));
            failure.Message.ShouldContain("at 2030-01-02 03:04:05Z was interrupted");
        }

        // The second did not have to wait for the lease of the first.
        (chain.Server.Requests.Count, chain.Clock.Elapsed).ShouldBe((0, keyIsOld ? TimeSpan.FromDays(1) : TimeSpan.FromSeconds(1)));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_in_doubt_is_not_sent_to_an_endpoint_that_may_not_know_its_key(bool canBeFound)
    {
        var looks = new List<string>();
        var chain = Open(
            o => (o.Endpoints.SharesKeys, o.Endpoints.Uris) = (false, ["https://api.test", "https://other.test"]),
            services =>
            {
                if (canBeFound)
                    services.AddSingleton<IReconciler>(new Finds(looks, found: true));
            });
        await TakeAsync(chain, TimeSpan.Zero);
        chain.Clock.Advance(TimeSpan.FromSeconds(1));

        if (canBeFound)
            (await chain.SendAsync(true, Keyed())).GetHttpCall()!.StopReason.ShouldBe(StopReason.Reconciled);
        else
            await Should.ThrowAsync<IdempotencyKeyInDoubtException>(() => chain.SendAsync(true, Keyed()));

        looks.Count.ShouldBe(canBeFound ? 1 : 0);
        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_letter_in_doubt_is_sent_on_request_of_a_person()
    {
        var chain = Open(o => o.Retry.UnsafeMethods = UnsafeMethods.Never);
        await TakeAsync(chain, TimeSpan.Zero);
        var now = chain.Clock.GetUtcNow();
        var letter = new DeadLetter
        {
            Id = Guid.CreateVersion7(now),
            ClientName = "api",
            Method = "POST",
            Uri = new("https://api.test/invoices"),
            Headers = [new("Content-Type", "text/plain; charset=utf-8")],
            Body = "{\"number\":1}"u8.ToArray(),
            IdempotencyKey = "comp1:1",
            FailureClass = FailureClass.Transient,
            StopReason = StopReason.UnsafeMethod,
            Attempts = 1,
            FirstFailedAt = now,
            LastFailedAt = now,
            DueAt = now,
            Status = DeadLetterStatus.InProgress,
            Resolution = new("Replay", null, "alice", now),
        };

        var request = DeadLetterRequest.ToRequest(letter, chain.State.Policy, letter.Uri);
        (await chain.SendAsync(true, request)).StatusCode.ShouldBe(HttpStatusCode.OK);

        chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("comp1:1");
    }

    [Fact]
    public async Task A_put_in_doubt_is_sent_whatever_the_key_is_good_for()
    {
        var chain = Open(o => o.Retry.UnsafeMethods = UnsafeMethods.Never);
        chain.Server.Script(Replies.Reset(), Replies.Status(200));
        HttpRequestMessage Put() => new HttpRequestMessage(HttpMethod.Put, "invoices/1").WithIdempotencyKey("k").WithMaxRetryAttempts(0);
        await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(true, Put()));

        (await chain.SendAsync(true, Put())).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_may_have_been_processed_leaves_the_key_in_doubt(bool async)
    {
        var chain = Open(o => (o.Retry.UnsafeMethods, o.Retry.MaxRetryAttempts) = (UnsafeMethods.Never, 0));
        chain.Server.Script(Replies.Reset(), Replies.Status(201));
        await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(async, Keyed()));

        await Should.ThrowAsync<IdempotencyKeyInDoubtException>(() => chain.SendAsync(async, Keyed()));

        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_call_in_doubt_stays_so_when_it_comes_to_nothing_again()
    {
        var chain = Open(o => o.Retry.MaxRetryAttempts = 0);
        await TakeAsync(chain, TimeSpan.Zero);
        chain.Server.Script(Replies.Status(429));

        (await chain.SendAsync(true, Keyed())).Dispose();

        (_store.Key.LeaseUntil, _store.Key.Response).ShouldBe((chain.Clock.GetUtcNow(), null));
    }

    [Theory, InlineData(1024 * 1024, false), InlineData(1024 * 1024 + 1, true)]
    public async Task A_body_up_to_a_mebibyte_is_remembered(int length, bool inDoubt)
    {
        foreach (bool saysLength in (bool[])[true, false])
        {
            var chain = Open(o => o.Retry.UnsafeMethods = UnsafeMethods.Never);
            chain.Server.Script(Replies.Content(
                201, () => saysLength ? new ByteArrayContent(new byte[length]) : new StreamContent(new OneShotStream(new byte[length]))));
            using var request = Keyed($"key {saysLength}");
            using var response = await chain.SendAsync(true, request);
            (await response.Content.ReadAsByteArrayAsync(Stop)).Length.ShouldBe(length);

            var second = chain.SendAsync(true, Keyed($"key {saysLength}"));

            if (inDoubt)
                await Should.ThrowAsync<IdempotencyKeyInDoubtException>(() => second);
            else
                (await (await second).Content.ReadAsByteArrayAsync(Stop)).Length.ShouldBe(length);
            chain.Logs.WithId(522).Count.ShouldBe(inDoubt ? 1 : 0);
        }
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_not_remembered_and_fails_for_its_reader()
    {
        var chain = Open();
        chain.Server.Script(Replies.Content(201, () => new StreamContent(new BreakingStream())));

        using var response = await chain.SendAsync(true, Keyed(), completion: HttpCompletionOption.ResponseHeadersRead);

        await Should.ThrowAsync<Exception>(() => response.Content.ReadAsByteArrayAsync(Stop));
        (_store.Key.Response, _store.Key.LeaseUntil).ShouldBe((null, chain.Clock.GetUtcNow()));
    }

    [Fact]
    public async Task A_call_that_takes_long_keeps_its_key()
    {
        var chain = Open();
        chain.Server.Script((clock, _, _) =>
        {
            clock.Advance(TimeSpan.FromSeconds(25));
            _store.Key.LeaseUntil.ShouldBe(clock.GetUtcNow() + TimeSpan.FromSeconds(25));
            return Replies.Status(201)(clock, true, default);
        });

        (await chain.SendAsync(true, Keyed())).StatusCode.ShouldBe(HttpStatusCode.Created);

        _store.Begun.Select(r => (r.LeaseUntil - ManualTimeProvider.DefaultStart).TotalSeconds).ShouldBe([30, 40, 50]);
        _store.Begun.Select(r => r.Owner).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_key_does_not_expire_while_its_call_is_in_flight()
    {
        var chain = Open(o => o.Idempotency.RememberFor = TimeSpan.FromSeconds(1));
        (await chain.SendAsync(true, Keyed())).Dispose();

        _store.Begun[0].ExpiresAt.ShouldBe(_store.Begun[0].LeaseUntil);
        _store.Key.ExpiresAt.ShouldBe(chain.Clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        (await chain.SendAsync(true, Keyed())).GetHttpCall()!.IsReplayed.ShouldBeFalse();
    }

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(true, true), InlineData(false, true)]
    public async Task A_store_that_fails_or_hangs_does_not_keep_a_call_from_being_made(bool async, bool hangs)
    {
        var chain = Open();
        (_store.Fails, _store.Hangs) = (new HttpResilienceStorageException("disk full"), hangs);
        _store.Before(nameof(IIdempotencyStore.BeginAsync), () => chain.Clock.Advance(hangs ? TimeSpan.FromSeconds(5) : TimeSpan.Zero));

        using var response = await chain.SendAsync(async, Keyed());

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var lost = chain.Logs.WithId(521).ShouldHaveSingleItem();
        (lost.Level, lost.Message).ShouldBe((LogLevel.Critical,
            "api POST https://api.test/invoices: the outcome of the call with key comp1:1 could not be stored; "
                + "a repeated call may be sent again. Check the store"));
        if (hangs)
            chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_store_that_fails_after_the_call_does_not_change_the_response()
    {
        var chain = Open();
        chain.Server.Script((clock, async, token) =>
        {
            _store.Fails = new HttpResilienceStorageException("disk full");
            return Replies.Status(201)(clock, async, token);
        });

        (await chain.SendAsync(true, Keyed())).StatusCode.ShouldBe(HttpStatusCode.Created);

        chain.Logs.WithId(521).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_call_that_is_cancelled_while_it_asks_for_its_key_leaves_no_doubt()
    {
        var chain = Open(o => o.Retry.UnsafeMethods = UnsafeMethods.Never);
        using var caller = new CancellationTokenSource();
        _store.Before(nameof(IIdempotencyStore.BeginAsync), () =>
        {
            if (_store.Begun.Count == 1)
                caller.Cancel();
        });

        await Record.ExceptionAsync(() => chain.SendAsync(true, Keyed(), caller.Token));

        chain.Server.Requests.ShouldBeEmpty();
        (await chain.SendAsync(true, Keyed())).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_body_that_cannot_be_compared_is_not_answered_for_another()
    {
        var chain = Open(o => o.Retry.MaxReplayBodyBytes = 4);
        static HttpRequestMessage Pay(string body) =>
            Chain.Post(new StreamContent(new OneShotStream(System.Text.Encoding.UTF8.GetBytes(body)))).WithIdempotencyKey("comp1:1");
        (await chain.SendAsync(true, Pay("pay 1"))).Dispose();

        (await chain.SendAsync(true, Pay("pay 1000000"))).GetHttpCall()!.IsReplayed.ShouldBeFalse();

        chain.Server.Requests.Select(s => s.Text).ShouldBe(["pay 1", "pay 1000000"]);
        chain.Logs.WithId(525).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_response_for_a_key_that_another_process_took_over_is_logged()
    {
        var chain = Open();
        chain.Server.Script((clock, async, token) =>
        {
            _store.TakeKeys();
            return Replies.Status(201)(clock, async, token);
        });

        (await chain.SendAsync(true, Keyed())).StatusCode.ShouldBe(HttpStatusCode.Created);

        chain.Logs.WithId(526).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Warning);
    }

    [Fact]
    public async Task A_stream_of_events_is_not_held_back()
    {
        var chain = Open();
        chain.Server.Script(Replies.Content(200, () => new StringContent("data: 1", null, "text/event-stream")));

        (await chain.SendAsync(true, Keyed())).Dispose();

        _store.Key.Response.ShouldBeNull();
    }

    [Fact]
    public void Without_storage_the_host_does_not_start_and_says_what_to_add()
    {
        using var chain = new Chain(o => o.Idempotency.RememberFor = TimeSpan.FromDays(7));

        Should.Throw<OptionsValidationException>(() => chain.Client).Failures.ShouldHaveSingleItem().ShouldStartWith(
            "HttpResilience:Clients:api:Idempotency:RememberFor is '7.00:00:00', which needs durable storage; "
                + "add package HttpResilience.Sqlite and AddHttpResilienceStorage(");
    }

    public void Dispose() => _chain?.Dispose();

    private static HttpRequestMessage Keyed(string key = "comp1:1") => Chain.Post().WithIdempotencyKey(key);

    private Chain Open(Action<HttpResilienceOptions>? options = null, Action<IServiceCollection>? services = null)
    {
        _chain?.Dispose();
        return _chain = new(o =>
        {
            o.Idempotency.RememberFor = TimeSpan.FromDays(7);
            options?.Invoke(o);
        }, services: s =>
        {
            s.AddSingleton<IIdempotencyStore>(_store.IdempotencyKeys);
            services?.Invoke(s);
        });
    }

    /// <summary>Another process begins the call.</summary>
    private async Task<RememberedRequest> TakeAsync(Chain chain, TimeSpan? lease = null)
    {
        var content = Chain.Post();
        var fingerprint = new RequestFingerprint(HttpMethod.Post, new("https://api.test/invoices"), null,
            await BodyDigest.ReadAsync(content.Content!, Stop)).Hash;
        var now = chain.Clock.GetUtcNow();
        var other = new RememberedRequest("api", "comp1:1", fingerprint, Guid.NewGuid(), now, now + (lease ?? TimeSpan.FromSeconds(30)));
        await _store.IdempotencyKeys.BeginAsync(other, Stop);
        return other;
    }

    private sealed class Finds(List<string> looks, bool found) : IReconciler
    {
        public ValueTask<HttpResponseMessage?> FindAsync(HttpCall httpCall, HttpRequestMessage request, CancellationToken cancellationToken)
        {
            looks.Add(httpCall.IdempotencyKey!);
            return new(found ? new HttpResponseMessage((HttpStatusCode)209) : null);
        }
    }

    private sealed class BreakingStream : MemoryStream
    {
        private bool _isRead;

        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_isRead)
                return ValueTask.FromException<int>(new IOException("broken off"));
            _isRead = true;
            buffer.Span[0] = 1;
            return new(1);
        }
    }
}
