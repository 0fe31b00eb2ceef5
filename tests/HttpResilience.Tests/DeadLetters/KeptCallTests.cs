using System.Net;
using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Http;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>A call that finally fails is stored before its caller gets the failure.</summary>
public sealed class KeptCallTests : IDisposable
{
    private readonly TestStorage _store = new();
    private Chain? _chain;

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_letter_has_everything_that_a_replay_needs(bool async)
    {
        var chain = Open(client: c => c.AddHttpMessageHandler(() => new AddsToken()));
        chain.Server.Script(Replies.Status(503, "{\"title\":\"Down\",\"detail\":\"for repair\"}", "application/problem+json"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "invoices?draft=1");
        request.Content = new StringContent("{\"number\":1}", null, "application/json");
        request.Headers.Add("X-Version", ["1", "2"]);
        request.Headers.Add("Authorization", "Bearer secret");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

        using var response = await chain.SendAsync(async, request.WithTenant("comp1").WithTag("rowNumber", 5));

        var call = response.GetHttpCall()!;
        var letter = _store.Letter;
        letter.Id.ShouldBe(call.DeadLetterId!.Value);
        letter.Id.Version.ShouldBe(7);
        (letter.ClientName, letter.Method, letter.Uri.ToString()).ShouldBe(("api", "POST", "https://api.test/invoices?draft=1"));
        letter.Headers.Select(h => $"{h.Key}={h.Value}").ShouldBe(
            ["X-Version=1", "X-Version=2", "Content-Type=application/json; charset=utf-8"]);
        letter.Body!.Value.ToArray().ShouldBe("{\"number\":1}"u8.ToArray());
        (letter.IdempotencyKey, letter.Tenant, letter.Tags["rowNumber"]).ShouldBe((call.IdempotencyKey, "comp1", "5"));
        (letter.FailureClass, letter.StatusCode, letter.ErrorTitle, letter.ErrorDetail).ShouldBe(
            (FailureClass.Transient, 503, "Down", "for repair"));
        (letter.Attempts, letter.StopReason, letter.MayHaveBeenProcessed, letter.Replays).ShouldBe(
            (4, StopReason.AttemptsExhausted, true, 0));
        // No handler would add the header again.
        (letter.Status, letter.SuggestedAction).ShouldBe(
            (DeadLetterStatus.RequiresReview, "Set credentials by ConfigureHttpClient or a handler, or they cannot be replayed"));
        (letter.FirstFailedAt, letter.LastFailedAt, letter.DueAt).ShouldBe(
            (chain.Clock.GetUtcNow(), chain.Clock.GetUtcNow(), chain.Clock.GetUtcNow()));
        chain.Logs.Call["DeadLetterId"].ShouldBe(letter.Id);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("for repair");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_throws_is_stored(bool async)
    {
        var chain = Open();
        chain.Server.Script(Replies.ConnectionRefused());

        var failure = await Should.ThrowAsync<HttpRequestException>(() => chain.PostAsync(async));

        var letter = _store.Letter;
        failure.GetHttpCall()!.DeadLetterId.ShouldBe(letter.Id);
        (letter.StatusCode, letter.ErrorType, letter.ErrorTitle, letter.MayHaveBeenProcessed).ShouldBe(
            (null, "HttpRequestException", "Connection refused", false));
    }

    [Theory]
    [InlineData(401, "Check the API key"), InlineData(403, "Check permissions"), InlineData(404, "Check the endpoint or id")]
    [InlineData(409, "Fetch the current state and resubmit")]
    [InlineData(422, "Fix the data and resubmit"), InlineData(501, "Fix the data and resubmit")]
    public async Task A_rejected_request_requires_review(int status, string action)
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(status));

        (await chain.PostAsync()).Dispose();

        (_store.Letter.Status, _store.Letter.SuggestedAction).ShouldBe((DeadLetterStatus.RequiresReview, action));
    }

    [Fact]
    public async Task A_letter_is_due_after_the_Retry_After_that_was_too_long_for_the_call()
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(429, ("Retry-After", "3600")));

        (await chain.PostAsync()).Dispose();

        (_store.Letter.StopReason, _store.Letter.DueAt).ShouldBe(
            (StopReason.RetryAfterTooLong, chain.Clock.GetUtcNow() + TimeSpan.FromHours(1)));
    }

    [Fact]
    public async Task A_call_rejected_by_an_open_circuit_is_stored_and_due_when_the_circuit_allows_a_probe()
    {
        var chain = Open(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));
        chain.Server.Script(Replies.Status(503));
        (await chain.GetAsync()).Dispose();

        await Should.ThrowAsync<CircuitOpenException>(() => chain.PostAsync());

        var letter = _store.Letter;
        (letter.FailureClass, letter.StopReason, letter.Attempts, letter.MayHaveBeenProcessed).ShouldBe(
            (FailureClass.Transient, StopReason.CircuitOpen, 0, false));
        letter.DueAt.ShouldBe(chain.Clock.GetUtcNow() + TimeSpan.FromSeconds(30));
    }

    public static TheoryData<string> NotKept => ["success", "get", "off", "method"];

    [Theory, MemberData(nameof(NotKept))]
    public async Task Calls_that_need_no_replay_are_not_stored(string why)
    {
        var chain = Open(o =>
        {
            o.DeadLetter.Enabled = why != "off";
            if (why == "method")
                o.DeadLetter.Methods = ["PUT"];
        });
        chain.Server.Script(why switch
        {
            "success" => Replies.Status(201),
            _ => Replies.Status(400),
        });

        await Record.ExceptionAsync(
            async () => (await chain.SendAsync(true, why == "get" ? Chain.Get() : Chain.Post())).Dispose());

        _store.Letters.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_call_that_an_error_of_the_program_ends_is_stored_for_review()
    {
        var chain = Open(o => o.DeadLetter.Enabled = true);
        chain.Server.Script(Replies.Throws(() => new InvalidOperationException("mine")));

        await Should.ThrowAsync<InvalidOperationException>(() => chain.PostAsync());

        var letter = _store.Letter;
        (letter.Status, letter.ErrorTitle, letter.SuggestedAction).ShouldBe(
            (DeadLetterStatus.RequiresReview, "mine", "Fix the error, then replay it"));
    }

    [Theory, InlineData(100, false), InlineData(101, true)]
    public async Task A_body_up_to_the_limit_is_stored(int length, bool missing)
    {
        var chain = Open(o => o.DeadLetter.MaxBodyBytes = 100);
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(true, Chain.Post(new ByteArrayContent(new byte[length])))).Dispose();

        (_store.Letter.BodyIsMissing, _store.Letter.Body?.Length, _store.Letter.Status)
            .ShouldBe((missing, missing ? null : length, missing ? DeadLetterStatus.RequiresReview : DeadLetterStatus.Pending));
    }

    [Fact]
    public async Task A_stream_that_was_sent_and_is_not_recorded_is_missing()
    {
        var chain = Open(o => o.Retry.MaxReplayBodyBytes = 9);
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(true, Chain.Post(new StreamContent(new OneShotStream(new byte[10]))))).Dispose();

        (_store.Letter.BodyIsMissing, _store.Letter.Body).ShouldBe((true, null));
    }

    [Fact]
    public async Task A_stream_buffered_for_retries_is_stored_in_the_letter()
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(503));
        var content = new StreamContent(new OneShotStream("abc"u8.ToArray()));
        content.Headers.ContentLength = 3;

        (await chain.SendAsync(true, Chain.Post(content))).Dispose();

        _store.Letter.Body!.Value.ToArray().ShouldBe("abc"u8.ToArray());
    }

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(true, true), InlineData(false, true)]
    public async Task A_letter_is_stored_without_a_body_that_cannot_be_read_again(bool async, bool hangs)
    {
        var chain = Open(o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script(Replies.Status(503));

        using var response = await chain.SendAsync(async, Chain.Post(new StreamContent(new ReadOnceStream(hangs ? chain.Clock : null))));

        (_store.Letter.Id, _store.Letter.BodyIsMissing, _store.Letter.Body, _store.Letter.Status).ShouldBe(
            (response.GetHttpCall()!.DeadLetterId!.Value, true, null, DeadLetterStatus.RequiresReview));
        _store.Letter.SuggestedAction.ShouldBe("Resubmit it from the source; its body could not be stored");
        chain.Logs.WithId(502).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Warning);
        chain.Logs.WithId(501).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_without_a_body_has_a_letter_without_one()
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(true, new(HttpMethod.Delete, "invoices/1"))).Dispose();

        (_store.Letter.BodyIsMissing, _store.Letter.Body, _store.Letter.Status).ShouldBe((false, null, DeadLetterStatus.Pending));
    }

    [Fact]
    public async Task A_post_without_a_key_that_may_have_been_processed_requires_review()
    {
        var chain = Open(o => o.Idempotency.Enabled = false);
        chain.Server.Script(Replies.Reset());

        await Should.ThrowAsync<HttpRequestException>(() => chain.PostAsync());

        _store.Letter.SuggestedAction.ShouldBe("Check whether it was processed; then resolve it, or replay it");
    }

    [Fact]
    public async Task Configured_header_names_are_secret_and_user_info_is_removed()
    {
        var chain = Open(o => o.Logging.RedactedHeaders = ["X-Mine"]);
        chain.Server.Script(Replies.Status(400));
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://user:pass@api.test/invoices");
        string[] secretHeaders = ["X-Mine", "X-Api-Key", "Cookie", "Proxy-Authorization", "X-Auth-Token", "Ocp-Apim-Subscription-Key"];
        foreach (string name in secretHeaders)
            request.Headers.TryAddWithoutValidation(name, "secret");

        (await chain.SendAsync(true, request)).Dispose();

        _store.Letter.Headers.ShouldBeEmpty();
        _store.Letter.Uri.ToString().ShouldBe("https://api.test/invoices");
    }

    [Fact]
    public async Task The_request_changed_by_a_resolver_is_stored()
    {
        var chain = Open(services: s => s.AddSingleton<IConflictResolver, Freshens>());
        chain.Server.Script(Replies.Status(409), Replies.Status(503));

        using var response = await chain.PostAsync();

        (_store.Letter.Body!.Value.ToArray(), _store.Letter.IdempotencyKey).ShouldBe(
            ("fresh"u8.ToArray(), response.GetHttpCall()!.IdempotencyKey), Same);
    }

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(true, true), InlineData(false, true)]
    public async Task A_store_that_fails_or_hangs_does_not_change_the_result_of_the_call(bool async, bool hangs)
    {
        var chain = Open();
        (_store.Fails, _store.Hangs) = (new HttpResilienceStorageException("disk full"), hangs);
        _store.Before(nameof(IDeadLetterStore.AddAsync), () => chain.Clock.Advance(hangs ? TimeSpan.FromSeconds(10) : TimeSpan.Zero));
        chain.Server.Script(Replies.Status(422, "{\"title\":\"No such currency\"}", "application/problem+json"));

        using var response = await chain.SendAsync(
            async, Chain.Post().WithIdempotencyKey("comp1:1").WithTenant("comp1").WithTag("rowNumber", 5));

        response.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        response.GetHttpCall()!.DeadLetterId.ShouldBeNull();
        var lost = chain.Logs.WithId(501).Concat(chain.Logs.WithId(571)).ShouldHaveSingleItem();
        (lost.Level, lost.Id.Id).ShouldBe((LogLevel.Critical, hangs ? 571 : 501));
        lost.Message.ShouldEndWith("Key comp1:1, tenant comp1, rowNumber=5. Validation 422 No such currency");
        if (hangs)
            chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Only_a_letter_that_is_certainly_not_in_the_store_is_reported_as_not_stored(bool mayHaveBeenMade)
    {
        var chain = Open();
        _store.Fails = new HttpResilienceStorageException("cut") { MayHaveBeenMade = mayHaveBeenMade };
        chain.Server.Script(Replies.Status(422));

        using var response = await chain.SendAsync(async: true, Chain.Post().WithIdempotencyKey("comp1:1"));

        response.GetHttpCall()!.DeadLetterId.ShouldBeNull();
        string message = chain.Logs.WithId(501).Concat(chain.Logs.WithId(571)).ShouldHaveSingleItem().Message;
        message.ShouldMatch(mayHaveBeenMade
            ? "^api POST https://api.test/invoices: dead letter [0-9a-f-]{36} may or may not have been stored; look for it, and resubmit "
                + "it from the source only if it is not there. Key comp1:1, tenant , "
            : "^api POST https://api.test/invoices: dead letter could not be stored; resubmit it from the source. "
                + "Key comp1:1, tenant , ");
    }

    [Fact]
    public void A_host_without_storage_does_not_start_and_the_error_names_the_package()
    {
        using var chain = new Chain(o => o.DeadLetter.Enabled = true);

        Should.Throw<OptionsValidationException>(() => chain.Client).Failures.ShouldHaveSingleItem().ShouldStartWith(
            "HttpResilience:Clients:api:DeadLetter:Enabled is 'True', which needs durable storage; add package HttpResilience.Sqlite and "
                + "AddHttpResilienceStorage(");
    }

    public void Dispose() => _chain?.Dispose();

    private static IEqualityComparer<(byte[], string?)> Same { get; } =
        EqualityComparer<(byte[] Body, string? Key)>.Create((a, b) => a.Body.AsSpan().SequenceEqual(b.Body) && a.Key == b.Key);

    private Chain Open(Action<HttpResilienceOptions>? options = null, Action<IHttpClientBuilder>? client = null,
        Action<IServiceCollection>? services = null) =>
        _chain = new(o =>
        {
            o.DeadLetter.Enabled = true;
            options?.Invoke(o);
        }, client, s =>
        {
            s.AddSingleton<IDeadLetterStore>(_store.DeadLetters);
            services?.Invoke(s);
        });

    private sealed class AddsToken : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("X-Signature-Of-Attempt", Guid.NewGuid().ToString());
            return base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("X-Signature-Of-Attempt", Guid.NewGuid().ToString());
            return base.Send(request, cancellationToken);
        }
    }

    /// <summary>It can be rewound, but not read a second time: a file that was deleted, or one on a disk that does not respond.</summary>
    /// <param name="clock">Not null: the second read does not end, and time passes.</param>
    private sealed class ReadOnceStream(ManualTimeProvider? clock) : MemoryStream(new byte[10])
    {
        private bool _isRead;

        public override void CopyTo(Stream destination, int bufferSize)
        {
            _isRead = true;
            base.CopyTo(destination, bufferSize);
        }

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            if (_isRead && clock is not null)
            {
                clock.Advance(TimeSpan.FromSeconds(5));
                await Task.Delay(Timeout.Infinite, CancellationToken.None);
            }
            else if (_isRead)
                throw new IOException("gone");
            _isRead = true;
            await base.CopyToAsync(destination, bufferSize, CancellationToken.None);
        }
    }

    private sealed class Freshens : IConflictResolver
    {
        public ValueTask<bool> ResolveAsync(
            HttpCall httpCall, HttpRequestMessage request, HttpResponseMessage conflict, CancellationToken cancellationToken)
        {
            request.Content = new StringContent("fresh");
            return new(true);
        }
    }
}
