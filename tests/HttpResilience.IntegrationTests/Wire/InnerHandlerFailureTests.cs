using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;

namespace HttpResilience.IntegrationTests.Wire;

/// <summary>A handler of the application that fails before the request was sent, or after it was answered.</summary>
public sealed class InnerHandlerFailureTests
{
    private const string WarmUp = "warm-up";

    public static TheoryData<Mode, string> AuditFailures => new()
    {
        { Mode.Async, "refused" }, { Mode.Sync, "refused" }, { Mode.Async, "429" }, { Mode.Sync, "503" }, { Mode.Async, "circuit" },
        { Mode.Async, "IOException" }, { Mode.Async, "no filters" }, { Mode.Async, "copy" }, { Mode.Async, "timeout" },
    };

    [Theory, MemberData(nameof(AuditFailures))]
    public async Task A_post_that_was_answered_before_a_handler_failed_is_not_repeated(Mode mode, string failure)
    {
        await using var audit = await KestrelServer.StartAsync(failure switch
        {
            "429" => Reply.With(429),
            "timeout" => Reply.Silence,
            _ => Reply.Unavailable,
        });
        if (failure is "refused" or "no filters" or "copy")
            await audit.DisposeAsync();
        await using var api = await KestrelServer.StartAsync(Reply.With(201));
        await using var client = new ResilientClientUnderTest(
            api.Uri,
            o =>
            {
                (o.Idempotency.Enabled, o.CircuitBreaker.UseClassic().FailureThreshold) = (false, 1);
                o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(2);
            },
            build: b =>
            {
                if (failure is "circuit")
                    AddAuditClient(b.Services);
                if (failure is "no filters")
                    b.Services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
                b.AddHttpMessageHandler(s => new AfterAnswer(
                    failure is "copy", (request, token) => FailAsync(failure, audit.Uri, s, request, token)));
            });

        var call = (await client.Client.FailAsync<Exception>(mode, Sending.Post())).GetHttpCall()!;

        api.Count.ShouldBe(1);
        call.Attempts.Count.ShouldBe(1);
        call.MayHaveBeenProcessed.ShouldBeTrue();
        client.Get<ICircuits>().List(ResilientClientUnderTest.Name).ShouldAllBe(c => c.State == CircuitState.Closed);
    }

    [Fact]
    public async Task A_post_with_a_key_that_was_answered_before_a_handler_failed_is_repeated_under_its_key()
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(201));
        int failures = 0;
        await using var client = new ResilientClientUnderTest(api.Uri, build: b => b.AddHttpMessageHandler(() => new AfterAnswer(
            copies: false, (_, _) => failures++ == 0 ? throw new IOException("disk full") : Task.CompletedTask)));

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        response.ShouldHaveSucceeded(attempts: 2);
        api.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem().ShouldBe(response.GetHttpCall()!.IdempotencyKey);
    }

    [Theory]
    [InlineData(Mode.Async, "refused"), InlineData(Mode.Sync, "refused"), InlineData(Mode.Async, "503"), InlineData(Mode.Async, "reset")]
    [InlineData(Mode.Async, "no filters"), InlineData(Mode.Async, "through the chain")]
    public async Task A_token_endpoint_that_is_down_leaves_the_request_unsent(Mode mode, string failure)
    {
        await using var login = await KestrelServer.StartAsync(failure is "reset" ? Reply.Abort : Reply.Unavailable);
        if (failure is "refused" or "no filters")
            await login.DisposeAsync();
        await using var api = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            api.Uri,
            o => (o.Idempotency.Enabled, o.CircuitBreaker.UseClassic().FailureThreshold, o.DeadLetter.Enabled) = (false, 1, true),
            build: b =>
            {
                b.Services.AddHttpResilienceStorage(storage => storage.UseInMemory());
                if (failure is "through the chain")
                    b.Services.AddResilientHttpClient("login", o => o.Retry.MaxRetryAttempts = 0);
                if (failure is "no filters")
                    b.Services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
                b.AddHttpMessageHandler(s => new BeforeSending(token => GetTokenAsync(
                    failure is "through the chain" ? s.GetRequiredService<IHttpClientFactory>().CreateClient("login") : new(), login.Uri,
                    token)));
            });

        if (failure is not ("refused" or "no filters"))
            await ShowThatHandlersSendThroughTheChainAsync(client);

        var call = (await client.Client.FailAsync<HttpRequestException>(mode, Sending.Post())).GetHttpCall()!;

        api.Requests.ShouldAllBe(request => request.Target == $"/{WarmUp}");
        call.ShouldHaveEnded(attempts: 4, call.FailureClass, StopReason.AttemptsExhausted);
        call.MayHaveBeenProcessed.ShouldBeFalse();
        client.Get<ICircuits>().List(ResilientClientUnderTest.Name).ShouldAllBe(c => c.State == CircuitState.Closed);
        var letter = await client.Get<IDeadLetterStore>().FindAsync(call.DeadLetterId!.Value, TestContext.Current.CancellationToken);
        letter!.Status.ShouldBe(DeadLetterStatus.Pending);
        letter.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Fact]
    public async Task A_token_that_comes_too_late_leaves_the_request_unsent()
    {
        await using var login = await KestrelServer.StartAsync(Reply.Silence);
        await using var api = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            api.Uri,
            o =>
            {
                (o.Idempotency.Enabled, o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (false, 1, 1);
                o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(1);
            },
            build: b => b.AddHttpMessageHandler(() => new BeforeSending(token => GetTokenAsync(new(), login.Uri, token))));

        await ShowThatHandlersSendThroughTheChainAsync(client);

        var call = (await client.Client.FailAsync<TaskCanceledException>(Mode.Async, Sending.Post())).GetHttpCall()!;

        call.ShouldHaveEnded(attempts: 2, FailureClass.Transient, StopReason.AttemptsExhausted);
        call.MayHaveBeenProcessed.ShouldBeFalse();
        client.Get<ICircuits>().List().ShouldAllBe(c => c.State == CircuitState.Closed);
    }

    [Theory]
    [InlineData(Mode.Async, 1, true), InlineData(Mode.Sync, 1, true), InlineData(Mode.Async, 2, true), InlineData(Mode.Async, 1, false)]
    public async Task A_post_that_was_answered_before_its_primary_handler_failed_is_not_repeated(Mode mode, int depth, bool hasFilters)
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(201));
        await using var client = WithPrimary(api.Uri, () => Around(new SocketsHttpHandler { UseProxy = false }, depth), hasFilters);

        var call = (await client.Client.FailAsync<HttpRequestException>(mode, Sending.Post())).GetHttpCall()!;

        api.Count.ShouldBe(1);
        call.Attempts.Count.ShouldBe(1);
        call.MayHaveBeenProcessed.ShouldBeTrue();
        client.Get<ICircuits>().List().ShouldAllBe(c => c.State == CircuitState.Closed);
    }

    [Fact]
    public async Task A_connection_that_is_refused_inside_a_primary_handler_of_the_application_has_carried_nothing()
    {
        await using var client = WithPrimary(
            new Uri($"http://127.0.0.1:{Ports.Closed()}/"), () => Around(new SocketsHttpHandler { UseProxy = false }, depth: 1));

        var call = (await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Post())).GetHttpCall()!;

        call.Attempts.Count.ShouldBe(4);
        call.MayHaveBeenProcessed.ShouldBeFalse();
        client.Get<ICircuits>().List().ShouldAllBe(c => c.State == CircuitState.Open);
    }

    [Fact]
    public async Task A_primary_handler_that_the_application_shares_and_has_used_stays_in_use()
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(201));
        var sockets = new SocketsHttpHandler { UseProxy = false };
        var shared = new AfterAnswer(copies: false, (_, _) => Task.CompletedTask) { InnerHandler = sockets };
        using (var invoker = new HttpMessageInvoker(shared, disposeHandler: false))
            (await invoker.SendAsync(new(HttpMethod.Get, api.Uri), TestContext.Current.CancellationToken)).Dispose();
        await using var client = WithPrimary(api.Uri, () => shared);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        response.ShouldHaveSucceeded(attempts: 1);
    }

    [Fact]
    public async Task The_factory_of_handlers_gives_the_same_chain()
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(201));
        await using var client = new ResilientClientUnderTest(
            api.Uri, o => o.Idempotency.Enabled = false,
            build: b => b.AddHttpMessageHandler(() => new AfterAnswer(copies: false, (_, _) => throw new IOException("disk full"))));
        using var invoker = new HttpMessageInvoker(client.Get<IHttpMessageHandlerFactory>().CreateHandler(ResilientClientUnderTest.Name));

        var call = (await Sending.FailureOf<IOException>(invoker.SendAsync(
            new(HttpMethod.Post, new Uri(api.Uri, "/invoices")), TestContext.Current.CancellationToken))).GetHttpCall()!;

        api.Count.ShouldBe(1);
        call.MayHaveBeenProcessed.ShouldBeTrue();
    }

    [Theory, InlineData(500, false), InlineData(201, false), InlineData(401, true), InlineData(429, true)]
    public async Task A_handler_that_repeats_a_request_itself_hides_an_answer_only_when_that_shows_it_was_not_processed(
        int first, bool isRepeated)
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(first), Reply.With(429), Reply.With(first), Reply.With(429));
        await using var client = new ResilientClientUnderTest(
            api.Uri, o => (o.Idempotency.Enabled, o.Retry.MaxRetryAttempts) = (false, 1),
            build: b => b.AddHttpMessageHandler(() => new Repeating()));

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        response.GetHttpCall().ShouldHaveEnded(
            isRepeated ? 2 : 1, FailureClass.RateLimited, isRepeated ? StopReason.AttemptsExhausted : StopReason.UnsafeMethod);
        response.GetHttpCall()!.MayHaveBeenProcessed.ShouldBe(!isRepeated);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task An_exception_for_the_status_of_the_response_is_classified_as_the_response(Mode mode)
    {
        await using var api = await KestrelServer.StartAsync(Reply.With(429));
        await using var down = await KestrelServer.StartAsync(Reply.Unavailable);
        await using var client = new ResilientClientUnderTest(
            configure: o =>
                (o.Idempotency.Enabled, o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (false, 1, 1),
            build: b => b.AddHttpMessageHandler(() => new Ensuring()));

        var limited = await client.Client.FailAsync<HttpRequestException>(mode, new(HttpMethod.Post, api.Uri));
        var failed = await client.Client.FailAsync<HttpRequestException>(mode, new(HttpMethod.Post, down.Uri));

        limited.GetHttpCall().ShouldHaveEnded(attempts: 2, FailureClass.RateLimited, StopReason.AttemptsExhausted);
        limited.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeFalse();
        failed.GetHttpCall().ShouldHaveEnded(attempts: 1, FailureClass.Transient, StopReason.UnsafeMethod);
        client.Get<ICircuits>().List().Select(c => c.State).ShouldBe([CircuitState.Closed, CircuitState.Open], ignoreOrder: true);
    }

    private static ResilientClientUnderTest WithPrimary(Uri api, Func<HttpMessageHandler> create, bool hasFilters = true) => new(
        api,
        o => (o.Idempotency.Enabled, o.CircuitBreaker.UseClassic().FailureThreshold) = (false, 4),
        build: b =>
        {
            if (!hasFilters)
                b.Services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
            b.ConfigurePrimaryHttpMessageHandler(create);
        });

    private static HttpMessageHandler Around(HttpMessageHandler sockets, int depth) => depth == 0 ? sockets
        : new AfterAnswer(copies: false, (_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "audit refused"))
        {
            InnerHandler = Around(sockets, depth - 1),
        };

    // Until a POST has come through, a handler may have sent it over a connection of its own, and a failure that may come from there is
    // ambiguous.
    private static async Task ShowThatHandlersSendThroughTheChainAsync(ResilientClientUnderTest client) =>
        (await client.Client.SendAsync(Mode.Async, new(HttpMethod.Post, WarmUp))).Dispose();

    private static bool IsWarmUp(HttpRequestMessage request) => request.RequestUri!.AbsolutePath == $"/{WarmUp}";

    private static void AddAuditClient(IServiceCollection services) => services.AddResilientHttpClient("audit", o =>
    {
        (o.CircuitBreaker.UseClassic().FailureThreshold, o.CircuitBreaker.BreakDuration) = (1, TimeSpan.FromMinutes(1));
        o.Retry.MaxRetryAttempts = 0;
    });

    private static async Task FailAsync(
        string failure, Uri audit, IServiceProvider services, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        switch (failure)
        {
            case "IOException":
                throw new IOException("disk full");
            case "circuit":
                var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("audit");
                (await client.GetAsync(audit, cancellationToken)).Dispose();
                await client.GetAsync(audit, cancellationToken);
                break;
            default:
                using (var http = new HttpClient())
                    (await http.PostAsync(audit, null, cancellationToken)).EnsureSuccessStatusCode();
                break;
        }
    }

    private static async Task GetTokenAsync(HttpClient client, Uri login, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsync(login, null, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    private sealed class AfterAnswer(bool copies, Func<HttpRequestMessage, CancellationToken, Task> fail) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var sent = copies ? new HttpRequestMessage(request.Method, request.RequestUri) { Content = request.Content } : request;
            var response = await base.SendAsync(sent, cancellationToken);
            await fail(request, cancellationToken);
            return response;
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = base.Send(request, cancellationToken);
            fail(request, cancellationToken).GetAwaiter().GetResult();
            return response;
        }
    }

    private sealed class Repeating : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (await base.SendAsync(request, cancellationToken)).Dispose();
            return await base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Ensuring : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            (await base.SendAsync(request, cancellationToken)).EnsureSuccessStatusCode();

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            base.Send(request, cancellationToken).EnsureSuccessStatusCode();
    }

    private sealed class BeforeSending(Func<CancellationToken, Task> prepare) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!IsWarmUp(request))
                await prepare(cancellationToken);
            return await base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!IsWarmUp(request))
                prepare(cancellationToken).GetAwaiter().GetResult();
            return base.Send(request, cancellationToken);
        }
    }
}
