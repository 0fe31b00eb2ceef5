using System.Net.Http.Json;
using System.Text;
using HttpResilience.Tests.Http;

namespace HttpResilience.Tests.Idempotency;

/// <summary><see cref="KeySource.Content"/>.</summary>
public sealed class ContentKeyTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task The_same_data_sent_again_has_the_same_key_and_corrected_data_a_new_one(bool async)
    {
        using var first = FromContent();
        using var afterCrash = FromContent();
        first.Server.Script(Replies.Status(503), Replies.Status(201));

        using var response = await first.SendAsync(async, Invoice(1));
        (await afterCrash.SendAsync(async, Invoice(1))).Dispose();
        (await afterCrash.SendAsync(async, Invoice(2))).Dispose();

        string key = response.GetHttpCall()!.IdempotencyKey!;
        key.Length.ShouldBe(43);
        first.Server.Requests.Select(s => (s.IdempotencyKey, s.Text)).ShouldBe([(key, "{\"number\":1}"), (key, "{\"number\":1}")]);
        afterCrash.Server.Requests[0].IdempotencyKey.ShouldBe(key);
        afterCrash.Server.Requests[1].IdempotencyKey.ShouldNotBe(key);
    }

    [Fact]
    public async Task Method_uri_and_tenant_count()
    {
        using var chain = FromContent();
        HttpRequestMessage[] requests =
        [
            Post("invoices"), Post("invoices?draft=true"), Post("orders"), Post("invoices").WithTenant("a"),
            Post("invoices").WithTenant("b"),
            new(HttpMethod.Patch, "invoices") { Content = new StringContent("x") },
        ];

        foreach (var request in requests)
            (await chain.SendAsync(true, request)).Dispose();
        using (HttpCallScope.Begin(new() { Tenant = "a" }))
            (await chain.SendAsync(true, Post("invoices"))).Dispose();

        string[] keys = [.. chain.Server.Requests.Select(s => s.IdempotencyKey!)];
        keys[..6].Distinct().Count().ShouldBe(6);
        keys[6].ShouldBe(keys[3]);
        Array.ForEach(keys, IdempotencyKey.Validate);

        static HttpRequestMessage Post(string uri) => new(HttpMethod.Post, uri) { Content = new StringContent("x") };
    }

    [Fact]
    public async Task A_post_without_a_body_has_a_key_too()
    {
        using var chain = FromContent();

        (await chain.SendAsync(true, new(HttpMethod.Post, "close"))).Dispose();
        (await chain.SendAsync(true, new(HttpMethod.Post, "close"))).Dispose();

        chain.Server.Requests[0].IdempotencyKey.ShouldNotBeNull().ShouldBe(chain.Server.Requests[1].IdempotencyKey);
    }

    [Fact]
    public async Task A_key_that_is_given_stays()
    {
        using var chain = FromContent();
        var withHeader = Invoice(1);
        withHeader.Headers.Add("Idempotency-Key", "of header");

        (await chain.SendAsync(true, withHeader)).Dispose();
        (await chain.SendAsync(true, Invoice(1).WithIdempotencyKey("of request"))).Dispose();
        using (HttpCallScope.Begin(new() { IdempotencyKey = "of scope" }))
            (await chain.SendAsync(true, Invoice(1))).Dispose();
        (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe(["of header", "of request", "of scope", null]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_stream_that_can_be_read_only_once_is_kept_and_sent_again(bool async)
    {
        using var chain = FromContent();
        chain.Server.Script(Replies.Status(503), Replies.Status(201));
        using var content = new MultipartContent("mixed",
            "b") { new StreamContent(new OneShotStream("abc"u8.ToArray())), new StringContent("text") };

        (await chain.SendAsync(async, Chain.Post(content))).Dispose();

        chain.Server.Requests.Count.ShouldBe(2);
        chain.Server.Requests[0].Text.ShouldContain("abc");
        (chain.Server.Requests[1].IdempotencyKey, chain.Server.Requests[1].Text).ShouldBe(
            (chain.Server.Requests[0].IdempotencyKey, chain.Server.Requests[0].Text));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_longer_one_ends_the_call_before_anything_is_sent(bool async)
    {
        using var chain = FromContent(o => o.Retry.MaxReplayBodyBytes = 2);
        using var content = new StreamContent(new OneShotStream("abc"u8.ToArray()));

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => chain.SendAsync(async, Chain.Post(content)));

        thrown.Message.ShouldContain("Idempotency:KeySource");
        thrown.Message.ShouldContain("Retry:MaxReplayBodyBytes (2)");
        chain.Server.Requests.ShouldBeEmpty();
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.IdempotencyKey).ShouldBe((StopReason.NotRetryable, FailureClass.Permanent, null));
        chain.Logs.Call.Level.ShouldBe(Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Fact]
    public async Task The_request_is_sent_under_a_key_of_its_own()
    {
        using var chain = FromContent(o => o.Retry.MaxReplayBodyBytes = 2);
        using var content = new StreamContent(new OneShotStream("abc"u8.ToArray()));

        (await chain.SendAsync(true, Chain.Post(content).WithIdempotencyKey("mine"))).Dispose();

        (chain.Server.Requests[0].IdempotencyKey, chain.Server.Requests[0].Text).ShouldBe(("mine", "abc"));
    }

    [Fact]
    public async Task The_key_may_be_sent_as_a_structured_field_in_another_header()
    {
        using var chain = FromContent(o => (o.Idempotency.Quoted, o.Idempotency.HeaderName) = (true, "X-Key"));

        using var response = await chain.SendAsync(true, Invoice(1));

        chain.Server.Requests[0].Headers["X-Key"].ShouldBe($"\"{response.GetHttpCall()!.IdempotencyKey}\"");
    }

    [Fact]
    public async Task The_setting_is_read_from_configuration_and_a_reload_changes_it_for_the_next_call()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Idempotency:KeySource"] = "content" });

        (await chain.SendAsync(true, Invoice(1))).Dispose();
        chain.Reload(("Idempotency:KeySource", "Random"));
        (await chain.SendAsync(true, Invoice(1))).Dispose();

        chain.Server.Requests[0].IdempotencyKey!.Length.ShouldBe(43);
        Guid.TryParseExact(chain.Server.Requests[1].IdempotencyKey, "D", out _).ShouldBeTrue();
        new IdempotencyOptions().KeySource.ShouldBe(KeySource.Random);
    }

    [Fact]
    public void A_source_that_there_is_not_is_refused()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Idempotency:KeySource"] = "Hash" });

        Should.Throw<Microsoft.Extensions.Options.OptionsValidationException>(() => chain.Client)
            .Message.ShouldContain("HttpResilience:Clients:api:Idempotency:KeySource is 'Hash'; it must be one of Random, Content");
    }

    [Fact]
    public async Task The_callers_cancellation_ends_the_reading_of_the_body()
    {
        using var chain = FromContent();
        using var cancelled = new CancellationTokenSource();
        await using var endless = new Endless(cancelled);
        using var content = new StreamContent(endless);

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chain.SendAsync(true, Chain.Post(content), cancelled.Token));

        thrown.CancellationToken.ShouldBe(cancelled.Token);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.Cancelled);
        chain.Server.Requests.ShouldBeEmpty();
    }

    private static HttpRequestMessage Invoice(int number) =>
        new(HttpMethod.Post, "invoices") { Content = JsonContent.Create(new Dictionary<string, int> { ["number"] = number }) };

    private static Chain FromContent(Action<HttpResilienceOptions>? more = null) => new(o =>
    {
        o.Idempotency.KeySource = KeySource.Content;
        more?.Invoke(o);
    });

    /// <summary>Cancels when it is read, and does not end by itself.</summary>
    private sealed class Endless(CancellationTokenSource source) : MemoryStream(Encoding.ASCII.GetBytes("abc"))
    {
        public override bool CanSeek => false;

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            await source.CancelAsync();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
    }
}
