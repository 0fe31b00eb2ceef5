using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary>What one attempt leaves behind does not reach the next one.</summary>
public sealed class AttemptIsolationTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task Inner_handlers_that_add_headers_do_not_accumulate_them(bool async)
    {
        int attempt = 0;
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new Tampers(request =>
        {
            attempt++;
            request.Headers.Add("X-Attempt", $"{attempt}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", $"token{attempt}");
            request.Headers.TryAddWithoutValidation("X-Given", $"{attempt}");
            request.Content!.Headers.TryAddWithoutValidation("X-Of-Content", $"{attempt}");
        })));
        chain.Server.Script(Replies.Status(503), Replies.Status(503), Replies.Status(200));
        var request = Chain.Post();
        request.Headers.Add("X-Given", "0");

        (await chain.SendAsync(async, request)).Dispose();

        string[] Of(string name) => [.. chain.Server.Requests.Select(s => s.Headers[name])];
        Of("X-Attempt").ShouldBe(["1", "2", "3"]);
        Of("Authorization").ShouldBe(["Bearer token1", "Bearer token2", "Bearer token3"]);
        Of("X-Given").ShouldBe(["0, 1", "0, 2", "0, 3"]);
        Of("X-Of-Content").ShouldBe(["1", "2", "3"]);
    }

    [Theory, InlineData("traceparent"), InlineData("tracestate"), InlineData("Request-Id")]
    public async Task The_trace_headers_of_an_attempt_are_gone_in_the_next(string name)
    {
        int attempt = 0;
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new Tampers(request =>
        {
            // As the platform does: only where there is none yet.
            if (!request.Headers.Contains(name))
                request.Headers.TryAddWithoutValidation(name, $"span{++attempt}");
        })));
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Select(s => s.Headers[name]).ShouldBe(["span1", "span2"]);
    }

    [Fact]
    public async Task A_trace_header_that_the_application_set_stays()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.Status(200));
        var request = Chain.Get();
        request.Headers.Add("traceparent", "the-application's");

        (await chain.SendAsync(true, request)).Dispose();

        chain.Server.Requests.Select(s => s.Headers["traceparent"]).ShouldBe(["the-application's", "the-application's"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_request_that_its_caller_has_disposed_too_early_is_sent_again_with_all_its_fields(bool async)
    {
        using var chain = new Chain();
        var request = Chain.Post();
        request.Headers.Authorization = new("Bearer", "token");
        request.Headers.Add("X-Given", "1");
        chain.Server.Script(
            Replies.With(() =>
            {
                request.Dispose();
                return new(System.Net.HttpStatusCode.ServiceUnavailable);
            }),
            Replies.Status(503), Replies.Status(200));

        (await chain.SendAsync(async, request)).Dispose();

        string[] Of(string name) => [.. chain.Server.Requests.Select(s => s.Headers[name])];
        Of("X-Given").ShouldBe(["1", "1", "1"]);
        Of("Authorization").ShouldBe(["Bearer token", "Bearer token", "Bearer token"]);
        Of("Idempotency-Key").Distinct().Count().ShouldBe(1);
    }

    // A redirect is followed below the chain, on the same message.
    [Fact]
    public async Task Each_attempt_begins_with_the_method_and_uri_that_the_application_asked_for()
    {
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new TampersAfterwards(request =>
            (request.Method, request.RequestUri, request.Content) = (HttpMethod.Get, new("https://elsewhere.test/"), null))));
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.PostAsync()).Dispose();

        chain.Server.Requests[1].Method.ShouldBe(HttpMethod.Post);
        chain.Server.Requests[1].Uri.ShouldBe(new("https://api.test/invoices"));
        chain.Server.Requests[1].Text.ShouldBe(chain.Server.Requests[0].Text);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Every_response_but_the_last_is_disposed(bool async)
    {
        var contents = new ConcurrentQueue<TrackedContent>();
        using var chain = new Chain();
        HttpContent Tracked()
        {
            var content = new TrackedContent();
            contents.Enqueue(content);
            return content;
        }

        chain.Server.Script(
            Replies.Content(503, Tracked), Replies.Content(500, Tracked), Replies.Content(429, Tracked), Replies.Content(503, Tracked));

        using var response = await chain.GetAsync(async);

        contents.Select(c => c.IsDisposed).ShouldBe([true, true, true, false]);
        ((int)response.StatusCode).ShouldBe(503);
    }

    private sealed class TrackedContent() : ByteArrayContent([1])
    {
        public bool IsDisposed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }

    private sealed class Tampers(Action<HttpRequestMessage> tamper) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            tamper(request);
            return base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            tamper(request);
            return base.Send(request, cancellationToken);
        }
    }

    private sealed class TampersAfterwards(Action<HttpRequestMessage> tamper) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            tamper(request);
            return response;
        }
    }
}
