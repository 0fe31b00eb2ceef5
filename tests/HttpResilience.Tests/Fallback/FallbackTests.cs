using System.Net;
using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Http;
using Microsoft.Extensions.Logging;
using static HttpResilience.Tests.Fallback.FallbackChain;

namespace HttpResilience.Tests.Fallback;

/// <summary>A read that fails is answered with the last good response.</summary>
public sealed class FallbackTests : IDisposable
{
    private Chain? _chain;

    public static TheoryData<string> Outages => new("503", "500", "501", "429", "refused", "reset", "attempt timeout", "deadline");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, CombinatorialOutages]
    public async Task A_failure_that_passes_is_answered_with_the_last_good_response(string outage, bool async)
    {
        var chain = Open(o =>
        {
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10);
            o.AttemptTimeout.Timeout = outage == "deadline" ? null : TimeSpan.FromSeconds(3);
        });
        await chain.SeeThenLoseAsync(good: Good("old"));
        await chain.SeeThenLoseAsync(good: Good("{\"id\":7}", ("X-Twice", "1"), ("X-Twice", "2"), ("Set-Cookie", "session=secret"),
            ("Age", "5"), ("Connection", "close"), ("Content-Language", "de")));
        chain.Clock.Advance(TimeSpan.FromMinutes(1));
        chain.Server.Script(outage switch
        {
            "refused" => Replies.ConnectionRefused(),
            "reset" => Replies.Reset(),
            "attempt timeout" or "deadline" => Replies.Stalls(),
            _ => Replies.Status(int.Parse(outage, System.Globalization.CultureInfo.InvariantCulture)),
        });
        var before = chain.Clock.Elapsed;

        using var response = await chain.SendAsync(async, Chain.Get());

        var took = chain.Clock.Elapsed - before;
        took.ShouldBe(TimeSpan.FromSeconds(outage switch { "deadline" => 10, "attempt timeout" => 3, _ => 0 }));
        (response.StatusCode, await response.Content.ReadAsStringAsync(Stop)).ShouldBe((HttpStatusCode.OK, "{\"id\":7}"));
        response.Headers.GetValues("X-Twice").ShouldBe(["1", "2"]);
        response.Content.Headers.ContentLanguage.ShouldBe(["de"]);
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; charset=utf-8");
        (response.Headers.Contains("Set-Cookie"), response.Headers.Contains("Connection")).ShouldBe((false, false));
        response.Headers.GetValues("Age").ShouldHaveSingleItem().ShouldBe(
            (65 + took.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture));
        var call = response.GetHttpCall()!;
        (call.IsStale, call.FailureClass is FailureClass.None, call.StopReason is StopReason.Succeeded, call.Attempts.Count)
            .ShouldBe((true, false, false, 1));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_open_circuit_is_answered_and_nothing_is_sent(bool async)
    {
        var chain = Open(o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);
        await chain.SeeThenLoseAsync();
        (await chain.StaleAsync()).ShouldBe("good");
        int sent = chain.Server.Requests.Count;

        (await chain.StaleAsync(async: async)).ShouldBe("good");

        chain.Server.Requests.Count.ShouldBe(sent);
        chain.Logs.Calls[^1]["StopReason"].ShouldBe("CircuitOpen");
    }

    [Fact]
    public async Task A_pause_and_a_full_limiter_are_answered()
    {
        var chain = Open(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5));
        await chain.SeeThenLoseAsync(failure: Replies.Status(429, ("Retry-After", "60")));
        (await chain.StaleAsync()).ShouldBe("good");
        int sent = chain.Server.Requests.Count;

        (await chain.StaleAsync()).ShouldBe("good");
        chain.Server.Requests.Count.ShouldBe(sent);
        (await Should.ThrowAsync<RateLimitedException>(() => chain.SendAsync(true, Chain.Get("unknown")))).RetryAfter.ShouldNotBeNull();

        var limited = Open(o => o.RateLimiter =
            new() { TokenBucket = new() { TokenLimit = 1, TokensPerPeriod = 1, ReplenishmentPeriod = TimeSpan.FromHours(1) } });
        await limited.SeeThenLoseAsync();
        (await limited.StaleAsync()).ShouldBe("good");
        limited.Server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData(400), InlineData(401), InlineData(403), InlineData(404), InlineData(408), InlineData(409), InlineData(425)]
    public async Task A_client_error_of_the_api_is_returned(int status)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(failure: Replies.Status(status));

        using var response = await chain.SendAsync(true, Chain.Get());

        ((int)response.StatusCode, response.GetHttpCall()!.IsStale).ShouldBe((status, false));
    }

    [Theory]
    [InlineData(401, false)]
    [InlineData(403, false)]
    [InlineData(404, false)]
    [InlineData(410, false)]
    [InlineData(301, false)]
    [InlineData(400, true)]
    [InlineData(408, true)]
    [InlineData(409, true)]
    public async Task A_resource_that_is_gone_or_forbidden_is_not_used_any_more(int status, bool isUsed)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(failure: Replies.Status(status));
        (await chain.SendAsync(true, Chain.Get())).Dispose();
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync()).ShouldBe(isUsed ? "good" : null);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_caller_that_leaves_gets_nothing(bool async)
    {
        var chain = Open();
        using var caller = new CancellationTokenSource();
        await chain.SeeThenLoseAsync(failure: (_, _, _) =>
        {
            caller.Cancel();
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));
        });
        using (var late = await chain.SendAsync(async, Chain.Get(), caller.Token, HttpCompletionOption.ResponseHeadersRead))
            late.GetHttpCall()!.IsStale.ShouldBeFalse();

        using var gone = new CancellationTokenSource();
        chain.Server.Script((_, _, token) =>
        {
            gone.Cancel();
            return Task.FromException<HttpResponseMessage>(new TaskCanceledException("gone", null, token));
        });
        await Should.ThrowAsync<OperationCanceledException>(() => chain.SendAsync(async, Chain.Get(), gone.Token));
    }

    [Fact]
    public async Task A_programming_error_is_thrown()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(failure: Replies.Throws(() => new InvalidOperationException("bug")));

        (await Should.ThrowAsync<InvalidOperationException>(() => chain.SendAsync(true, Chain.Get()))).Message.ShouldBe("bug");
    }

    [Fact]
    public async Task A_request_without_a_stored_response_fails_as_without_the_feature()
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(503, "why", "text/plain"));
        using (var response = await chain.SendAsync(true, Chain.Get()))
            (response.StatusCode, await response.Content.ReadAsStringAsync(Stop)).ShouldBe((HttpStatusCode.ServiceUnavailable, "why"));

        chain.Server.Script(Replies.ConnectionRefused());
        (await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(true, Chain.Get()))).HttpRequestError.ShouldBe(
            HttpRequestError.ConnectionError);
    }

    [Fact]
    public async Task Retries_come_first()
    {
        var chain = Open(o => o.Retry.MaxRetryAttempts = 2);
        await chain.SeeThenLoseAsync();

        using var response = await chain.SendAsync(true, Chain.Get());

        chain.Server.Requests.Count.ShouldBe(4);
        (response.GetHttpCall()!.StopReason, response.GetHttpCall()!.IsStale).ShouldBe((StopReason.AttemptsExhausted, true));
    }

    [Theory]
    [InlineData("", "", 86400, true)]
    [InlineData("", "", 86401, false)]
    [InlineData("max-age=60", "", 86460, true)]
    [InlineData("max-age=60", "", 86461, false)]
    [InlineData("max-age=60, stale-if-error=10", "", 70, true)]
    [InlineData("max-age=60, stale-if-error=10", "", 71, false)]
    [InlineData("stale-if-error=x", "", 0, false)]
    [InlineData("stale-if-error=999999", "", 86401, false)]
    [InlineData("max-age=60", "stale-if-error=5", 65, true)]
    [InlineData("max-age=60", "stale-if-error=5", 66, false)]
    [InlineData("max-age=60", "no-cache", 1, false)]
    [InlineData("max-age=60", "max-age=5", 6, false)]
    public async Task A_stale_response_is_used_until_it_is_too_old(string said, string asked, int seconds, bool isUsed)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(good: Good("good", ("Cache-Control", said)));
        chain.Clock.Advance(TimeSpan.FromSeconds(seconds));
        var request = Chain.Get();
        if (asked != "")
            request.Headers.TryAddWithoutValidation("Cache-Control", asked);

        (await chain.StaleAsync(request)).ShouldBe(isUsed ? "good" : null);
    }

    [Theory]
    [InlineData("Pragma", "no-cache")]
    [InlineData("Cache-Control", "no-store")]
    [InlineData("Cache-Control", "only-if-cached, no-cache")]
    [InlineData("Range", "bytes=0-1")]
    [InlineData("If-None-Match", "\"x\"")]
    public async Task A_caller_that_wants_something_else_gets_the_failure(string field, string value)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync();
        var request = Chain.Get();
        request.Headers.TryAddWithoutValidation(field, value);

        (await chain.StaleAsync(request)).ShouldBeNull();
    }

    [Theory]
    [InlineData("Cache-Control", "no-store")]
    [InlineData("Cache-Control", "max-age=60, no-cache")]
    [InlineData("Cache-Control", "must-revalidate")]
    [InlineData("Vary", "*")]
    public async Task A_response_that_must_not_be_stored_is_not_and_removes_the_stored_one(string field, string value)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync();
        await chain.SeeThenLoseAsync(good: Good("secret", (field, value)));

        (await chain.StaleAsync()).ShouldBeNull();
        FallbackCache.Of(chain.State).Count.ShouldBe(0);
    }

    [Theory, InlineData("Range", "bytes=0-1"), InlineData("If-Match", "\"x\""), InlineData("Cache-Control", "no-store")]
    public async Task The_response_to_another_kind_of_request_is_not_kept(string field, string value)
    {
        var chain = Open();
        var request = Chain.Get();
        request.Headers.TryAddWithoutValidation(field, value);

        await chain.SeeThenLoseAsync(request);

        FallbackCache.Of(chain.State).Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_read_with_a_body_passes_untouched()
    {
        var chain = Open();
        chain.Server.Script(Good());
        (await chain.SendAsync(true, new(HttpMethod.Get, "search") { Content = new StringContent("q") })).Dispose();

        FallbackCache.Of(chain.State).Count.ShouldBe(0);
    }

    [Fact]
    public async Task Head_and_get_are_kept_apart_and_head_keeps_the_length()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(new(HttpMethod.Head, "invoices/1"),
            Replies.With(() => new() { Content = new ByteArrayContent([]) { Headers = { ContentLength = 4711 } } }));

        (await chain.StaleAsync()).ShouldBeNull();
        using var response = await chain.SendAsync(true, new(HttpMethod.Head, "invoices/1"));
        (response.GetHttpCall()!.IsStale, response.Content.Headers.ContentLength).ShouldBe((true, 4711));
    }

    [Fact]
    public async Task A_response_without_a_body_is_kept()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(good: Replies.Status(204));

        using var response = await chain.SendAsync(true, Chain.Get());

        (response.StatusCode, response.GetHttpCall()!.IsStale).ShouldBe((HttpStatusCode.NoContent, true));
    }

    [Theory]
    [InlineData(1024 * 1024, true, true)]
    [InlineData(1024 * 1024 + 1, true, false)]
    [InlineData(1024 * 1024, false, true)]
    [InlineData(1024 * 1024 + 1, false, false)]
    public async Task A_body_up_to_a_mebibyte_is_kept(int length, bool saysLength, bool isKept)
    {
        var chain = Open();
        chain.Server.Script(Replies.Content(
            200, () => saysLength ? new ByteArrayContent(new byte[length]) : new StreamContent(new OneShotStream(new byte[length]))));
        using (var response = await chain.SendAsync(true, Chain.Get()))
            (await response.Content.ReadAsByteArrayAsync(Stop)).Length.ShouldBe(length);
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync())?.Length.ShouldBe(length);
        FallbackCache.Of(chain.State).Count.ShouldBe(isKept ? 1 : 0);
    }

    [Theory, InlineData(16 * 1024, true), InlineData(16 * 1024 + 1, false)]
    public async Task No_body_takes_more_than_a_quarter(int length, bool isKept)
    {
        var chain = Open(o => o.Fallback.MaxBytes = 64 * 1024);

        await chain.SeeThenLoseAsync(good: Good(new('x', length)));

        FallbackCache.Of(chain.State).Count.ShouldBe(isKept ? 1 : 0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_is_kept_when_its_reader_has_come_to_its_end_and_not_before(bool saysLength)
    {
        var chain = Open();
        chain.Server.Script(
            Replies.Content(200, () => saysLength ? new ByteArrayContent([1, 2, 3]) : new StreamContent(new OneShotStream([1, 2, 3]))));
        using var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync(Stop);

        (await body.ReadAsync(new byte[2], Stop)).ShouldBe(2);
        (await body.ReadAsync(Memory<byte>.Empty, Stop)).ShouldBe(0);
        FallbackCache.Of(chain.State).Count.ShouldBe(0);

        (await body.ReadAsync(new byte[2], Stop)).ShouldBe(1);
        FallbackCache.Of(chain.State).Count.ShouldBe(saysLength ? 1 : 0);
        (await body.ReadAsync(new byte[2], Stop)).ShouldBe(0);
        FallbackCache.Of(chain.State).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_not_kept_and_what_was_kept_stays()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync();
        chain.Server.Script(Replies.Content(200, () => new StreamContent(new OneShotStream([1])) { Headers = { ContentLength = 2 } }));
        using (var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead))
            (await response.Content.ReadAsByteArrayAsync(Stop)).ShouldBe([1]);
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync()).ShouldBe("good");
    }

    [Theory, InlineData("POST", 201, false), InlineData("PUT", 200,
        false), InlineData("PATCH", 204, false), InlineData("DELETE", 204, false), InlineData("PUT", 303, false),
        InlineData("PUT", 400, true), InlineData("PUT", 503, true), InlineData("OPTIONS", 200, true)]
    public async Task A_change_that_succeeds_makes_what_was_kept_useless(string method, int status, bool isUsed)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(failure: Replies.Status(status));
        (await chain.SendAsync(true, new(new(method), "invoices/1"))).Dispose();
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync()).ShouldBe(isUsed ? "good" : null);
    }

    [Theory]
    [InlineData("Location", "/invoices/1", false)]
    [InlineData("Location", "https://api.test/invoices/1", false)]
    [InlineData("Content-Location", "invoices/1", false)]
    [InlineData("Location", "https://other.test/invoices/1", true)]
    [InlineData("Location", "/invoices/2", true)]
    [InlineData("Location", "http://[", true)]
    public async Task A_change_speaks_for_the_places_that_it_names_at_the_same_host(string field, string location, bool isUsed)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(failure: Good("made", (field, location)));
        (await chain.PostAsync()).Dispose();
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync()).ShouldBe(isUsed ? "good" : null);
    }

    [Fact]
    public async Task A_change_takes_what_all_tenants_and_users_have_seen()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(Chain.Get().WithTenant("a"));
        await chain.SeeThenLoseAsync(Chain.Get().WithTenant("b"));
        FallbackCache.Of(chain.State).Count.ShouldBe(2);
        chain.Server.Script(Replies.Status(204));

        (await chain.SendAsync(true, new HttpRequestMessage(HttpMethod.Delete, "invoices/1").WithTenant("c"))).Dispose();

        FallbackCache.Of(chain.State).Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_response_read_before_a_change_is_not_stored_after_it()
    {
        var chain = Open();
        chain.Server.Script(Replies.Content(200, () => new StreamContent(new OneShotStream([1]))), Replies.Status(204));
        using var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);
        (await chain.SendAsync(true, new(HttpMethod.Put, "invoices/1"))).Dispose();

        await response.Content.ReadAsByteArrayAsync(Stop);

        FallbackCache.Of(chain.State).Count.ShouldBe(0);
    }

    [Fact]
    public async Task The_cache_outlives_handlers_and_a_reload()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync();
        chain.Reload(("Fallback:StaleIfError", "00:10:00"));

        using var other = new HttpClient(Chain.BuildHandlers(chain.Services).Build()) { BaseAddress = new("https://api.test/") };
        (await other.GetStringAsync("invoices/1", Stop)).ShouldBe("good");
    }

    [Fact]
    public async Task The_cache_is_cleared_when_the_feature_is_disabled()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Fallback:Enabled"] = "true" });
        await chain.SeeThenLoseAsync();
        FallbackCache.Of(chain.State).Count.ShouldBe(1);

        chain.Reload(("Fallback:Enabled", "false"));

        (FallbackCache.Of(chain.State).Count, FallbackCache.Of(chain.State).Bytes).ShouldBe((0, 0));
    }

    [Theory, InlineData(503, "503"), InlineData(null, "connection_error")]
    public async Task Metrics_tell_the_failure_and_that_the_caller_was_spared_it(int? status, string errorType)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(failure: status is { } s ? Replies.Status(s) : Replies.ConnectionRefused());
        using var metrics = new Telemetry.MeasurementCollector(chain.Services);

        (await chain.StaleAsync()).ShouldBe("good");

        var fallback = metrics.Of("fallbacks").ShouldHaveSingleItem();
        (fallback.Value, fallback["http.resilience.client"], fallback["server.address"], fallback["http.resilience.stop_reason"]).ShouldBe(
            (1, "api", "api.test", "AttemptsExhausted"));
        var call = metrics.Of("call.duration").ShouldHaveSingleItem();
        (call["http.response.status_code"], call["error.type"]).ShouldBe((200, errorType));
    }

    [Fact]
    public async Task The_log_tells_the_failure_and_that_the_caller_was_spared_it()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(failure: Replies.Throws(() => new HttpRequestException("no route to s3cret")));
        var request = Chain.Get();
        request.Headers.TryAddWithoutValidation("traceparent", "x");

        using var response = await chain.SendAsync(true, request);

        var entry = chain.Logs.Calls[^1];
        (entry.Level, entry.Id.Name, entry["IsStale"], entry["StatusCode"], entry["FailureClass"], entry["StopReason"]).ShouldBe(
            (LogLevel.Warning, "CallFailed", true, 200, "Transient", "AttemptsExhausted"));
        (entry["ErrorMessage"], entry["ErrorBody"]).ShouldBe(("no route to s3cret", null));
        entry.Message.ShouldEndWith(", Transient, AttemptsExhausted, answered with a stale response: no route to s3cret");
        response.GetHttpCall()!.Error.ShouldBe("no route to s3cret");
        chain.Logs.Calls[0]["IsStale"].ShouldBeNull();
    }

    [Fact]
    public async Task The_stale_body_is_no_error_message()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(good: Good("private"));

        (await chain.StaleAsync()).ShouldBe("private");

        chain.Logs.ToString().ShouldNotContain("private");
        chain.Logs.Calls[^1]["ErrorMessage"].ShouldBe("The API answered 503.");
    }

    [Fact]
    public async Task Switched_off_nothing_is_kept()
    {
        var chain = Open(o => o.Fallback.Enabled = false);

        await chain.SeeThenLoseAsync();

        FallbackCache.Of(chain.State).Count.ShouldBe(0);
        (await chain.StaleAsync()).ShouldBeNull();
    }

    public void Dispose() => _chain?.Dispose();

    private Chain Open(Action<HttpResilienceOptions>? options = null)
    {
        _chain?.Dispose();
        return _chain = FallbackChain.Open(options);
    }

    private sealed class CombinatorialOutagesAttribute : Xunit.v3.DataAttribute
    {
        public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(
            System.Reflection.MethodInfo testMethod, Xunit.Sdk.DisposalTracker disposalTracker) =>
            new([.. from outage in Outages from async in (bool[])[true, false] select new TheoryDataRow<string, bool>(outage.Data, async)]);

        public override bool SupportsDiscoveryEnumeration() => true;
    }
}
