using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Wire;

/// <summary>
/// A handler of the application gives another response than that of the request: its own, that of a copy, or that of another request. What
/// it says, such as that nothing was processed, does not hold for the request.
/// </summary>
public sealed class OtherResponseTests
{
    private static readonly RequestDelegate Busy = Reply.With(503, "busy", ("Retry-After", "1"));

    [Theory, InlineData(Mode.Async, false), InlineData(Mode.Sync, false), InlineData(Mode.Async, true)]
    public async Task A_post_that_was_accepted_is_not_repeated_when_the_status_of_its_operation_is_unavailable(Mode mode, bool ownClient)
    {
        await using var api = await KestrelServer.StartAsync(context =>
            context.Request.Method == "POST" ? Reply.With(202)(context) : Busy(context));
        await using var client = Create(api, async (request, send) =>
        {
            using var accepted = await send(request);
            var status = new HttpRequestMessage(HttpMethod.Get, new Uri(api.Uri, "/operations/1"));
            return ownClient ? await new HttpClient().SendAsync(status) : await send(status);
        });

        using var response = await client.Client.SendAsync(mode, Sending.Post());

        Posts(api).ShouldBe(1);
        response.GetHttpCall().ShouldHaveEnded(attempts: 1, FailureClass.Transient, StopReason.UnsafeMethod);
        await ShouldRequireReviewAsync(client, response);
    }

    [Theory]
    [InlineData(200, 503), InlineData(201, 429), InlineData(200, 425), InlineData(200, 421), InlineData(500, 429), InlineData(502, 503)]
    public async Task A_post_that_may_have_been_processed_is_not_repeated_when_a_handler_replaces_the_response(int status, int replaced)
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(status));
        await using var client = Create(api, async (request, send) =>
        {
            (await send(request)).Dispose();
            var own = new HttpResponseMessage((HttpStatusCode)replaced) { RequestMessage = request };
            own.Headers.Add("Retry-After", "1");
            return own;
        });

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        Posts(api).ShouldBe(1);
        response.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeTrue();
        await ShouldRequireReviewAsync(client, response);
    }

    [Theory, InlineData(429, 503), InlineData(503, 429), InlineData(401, 429)]
    public async Task A_post_that_was_rejected_is_repeated_when_a_handler_replaces_the_response(int status, int replaced)
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(status, "", ("Retry-After", "1")), Reply.With(201));
        await using var client = Create(api, async (request, send) =>
        {
            var response = await send(request);
            if (response.IsSuccessStatusCode)
                return response;
            var own = new HttpResponseMessage((HttpStatusCode)replaced);
            own.Headers.Add("Retry-After", "1");
            return own;
        });

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        response.ShouldHaveSucceeded(attempts: 2);
    }

    [Theory, InlineData(401), InlineData(400), InlineData(404)]
    public async Task A_letter_after_an_accepted_post_says_that_it_may_have_been_processed(int status)
    {
        await using var api = await KestrelServer.StartAsync(context =>
            context.Request.Method == "POST" ? Reply.With(202)(context) : Reply.With(status)(context));
        await using var client = Create(api, async (request, send) =>
        {
            (await send(request)).Dispose();
            return await send(new(HttpMethod.Get, new Uri(api.Uri, "/operations/1")));
        });

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        await ShouldRequireReviewAsync(client, response);
    }

    public static TheoryData<string, bool> FirstAnswers => new()
    {
        { "cut", false }, { "500", false }, { "200", false }, { "502", false }, { "429", true }, { "503 with Retry-After", true },
    };

    [Theory, MemberData(nameof(FirstAnswers))]
    public async Task A_post_that_a_handler_sends_as_copies_is_not_repeated_once_one_may_have_been_processed(string first, bool isRepeated)
    {
        await using var api = await KestrelServer.StartAsync(
            Answer(first), Reply.With(429, "", ("Retry-After", "1")), Reply.With(201));
        await using var client = Create(api, async (request, send) =>
        {
            byte[] body = await request.Content!.ReadAsByteArrayAsync();
            HttpRequestMessage Copy() => new(request.Method, request.RequestUri) { Content = new ByteArrayContent(body) };
            try
            {
                var response = await send(Copy());
                if (response.StatusCode is HttpStatusCode.Created)
                    return response;
            }
            catch (HttpRequestException)
            {
            }

            return await send(Copy());
        });

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        Posts(api).ShouldBe(isRepeated ? 3 : 2);
        ((int)response.StatusCode).ShouldBe(isRepeated ? 201 : 429);
        response.GetHttpCall()!.MayHaveBeenProcessed.ShouldBe(!isRepeated);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_post_whose_copy_was_redirected_is_not_repeated(Mode mode)
    {
        await using var api = await KestrelServer.StartAsync(context => context.Request.Method == "POST"
            ? Reply.With(303, "", ("Location", "/done"))(context) : Reply.With(429, "", ("Retry-After", "1"))(context));
        await using var client = Create(api, (request, send) =>
            send(new(request.Method, request.RequestUri) { Content = request.Content }));

        using var response = await client.Client.SendAsync(mode, Sending.Post());

        Posts(api).ShouldBe(1);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.UnsafeMethod);
    }

    [Fact]
    public async Task A_post_that_the_primary_handler_copied_and_that_was_redirected_is_not_repeated()
    {
        await using var api = await KestrelServer.StartAsync(context => context.Request.Method == "POST"
            ? Reply.With(303, "", ("Location", "/done"))(context) : Reply.With(429, "", ("Retry-After", "1"))(context));
        await using var client = new ResilientClientUnderTest(
            api.Uri, o => o.Idempotency.Enabled = false, build: b => b.ConfigurePrimaryHttpMessageHandler(() => new CopyingPrimary()));

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        Posts(api).ShouldBe(1);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.UnsafeMethod);
    }

    [Fact]
    public async Task A_post_that_is_refused_is_repeated_beside_copies_of_other_calls_that_are_answered()
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(201));
        await using var client = Create(api, (request, send) =>
            send(new(request.Method, request.RequestUri) { Content = request.Content }));
        (await client.Client.SendAsync(Mode.Async, Sending.Post())).Dispose();
        using var stop = new CancellationTokenSource();
        var others = Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
                (await client.Client.SendAsync(Mode.Async, Sending.Post())).Dispose();
        }));

        var refused = (await client.Client.FailAsync<HttpRequestException>(
            Mode.Async, new(HttpMethod.Post, $"http://127.0.0.1:{Ports.Closed()}/invoices"))).GetHttpCall()!;
        await stop.CancelAsync();
        await others;

        refused.ShouldHaveEnded(attempts: 4, FailureClass.Transient, StopReason.AttemptsExhausted);
        refused.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Fact]
    public async Task A_post_after_a_token_from_the_same_handlers_is_repeated_when_it_was_rejected()
    {
        await using var api = await KestrelServer.StartAsync(context => context.Request.Path == "/token" ? Reply.Ok()(context)
            : Reply.With(429, "", ("Retry-After", "1"))(context));
        await using var client = Create(api, async (request, send) =>
        {
            using var token = new HttpRequestMessage(HttpMethod.Post, new Uri(api.Uri, "/token")) { Content = new StringContent("grant") };
            (await send(token)).EnsureSuccessStatusCode().Dispose();
            return await send(request);
        });

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        api.Requests.Count(r => r.Target != "/token").ShouldBe(4);
        response.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Fact]
    public async Task The_failure_of_another_host_is_not_that_of_the_host_that_was_asked()
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(201));
        await using var audit = await KestrelServer.StartAsync(Busy);
        await using var client = Create(api, async (request, send) =>
        {
            if (request.Method == HttpMethod.Get)
                return await send(request);
            (await send(request)).Dispose();
            return await send(new(HttpMethod.Post, new Uri(audit.Uri, "/audit")));
        }, o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Idempotency.Enabled) = (1, false));

        (await client.Client.SendAsync(Mode.Async, Sending.Post())).Dispose();

        Posts(api).ShouldBe(1);
        var circuits = client.Get<ICircuits>().List();
        circuits.Single(c => new Uri(c.Authority).Port == api.Uri.Port).State.ShouldBe(CircuitState.Closed);
        using var next = await client.Client.SendAsync(Mode.Async, Sending.Get());
        api.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_letter_is_replayed_through_a_handler_that_sends_a_copy()
    {
        await using var api = await KestrelServer.StartAsync(Reply.Unavailable, Reply.With(201));
        await using var client = Create(api, (request, send) =>
            send(new(request.Method, request.RequestUri) { Content = request.Content }), o => o.Retry.MaxRetryAttempts = 0);
        using var failed = await client.Client.SendAsync(Mode.Async, Sending.Post());
        failed.GetHttpCall()!.DeadLetterId.ShouldNotBeNull();

        var letter = await client.Get<IDeadLetterReview>().SendAsync(
            failed.GetHttpCall()!.DeadLetterId!.Value, "test", TestContext.Current.CancellationToken);

        letter!.Status.ShouldBe(DeadLetterStatus.Replayed);
    }

    [Fact]
    public async Task A_handler_that_returns_null_is_named_as_the_reason()
    {
        await using var api = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = Create(api, (_, _) => Task.FromResult<HttpResponseMessage>(null!));

        (await client.Client.FailAsync<InvalidOperationException>(Mode.Async, Sending.Get())).Message.ShouldContain("null");
    }

    private static int Posts(KestrelServer api) => api.Requests.Count(r => r.Method == "POST");

    private static async Task ShouldRequireReviewAsync(ResilientClientUnderTest client, HttpResponseMessage response)
    {
        var letter = await client.Get<IDeadLetterStore>().FindAsync(
            response.GetHttpCall()!.DeadLetterId!.Value, TestContext.Current.CancellationToken);
        (letter!.Status, letter.MayHaveBeenProcessed).ShouldBe((DeadLetterStatus.RequiresReview, true));
        letter.SuggestedAction!.ShouldStartWith("Check whether it was processed");
    }

    private static RequestDelegate Answer(string first) => first switch
    {
        "cut" => Reply.Abort,
        "503 with Retry-After" => Busy,
        _ => Reply.With(int.Parse(first, System.Globalization.CultureInfo.InvariantCulture)),
    };

    private static ResilientClientUnderTest Create(
        KestrelServer api, Func<HttpRequestMessage, Func<HttpRequestMessage, Task<HttpResponseMessage>>, Task<HttpResponseMessage>> send,
        Action<HttpResilienceOptions>? configure = null) => new(
        api.Uri,
        o =>
        {
            (o.Idempotency.Enabled, o.DeadLetter.Enabled) = (false, true);
            configure?.Invoke(o);
        },
        build: b =>
        {
            b.Services.AddHttpResilienceStorage(storage => storage.UseInMemory());
            b.AddHttpMessageHandler(() => new Handler(send));
        });

    private sealed class CopyingPrimary : HttpClientHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            base.SendAsync(new(request.Method, request.RequestUri) { Content = request.Content }, cancellationToken);
    }

    private sealed class Handler(
        Func<HttpRequestMessage, Func<HttpRequestMessage, Task<HttpResponseMessage>>, Task<HttpResponseMessage>> send) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            send(request, sent => base.SendAsync(sent, cancellationToken));

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            send(request, sent => Task.FromResult(base.Send(sent, cancellationToken))).GetAwaiter().GetResult();
    }
}
