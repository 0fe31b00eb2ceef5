using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Clients;

/// <summary>
/// <see cref="HttpClient.Timeout"/> is the deadline of a call wherever it was set. The chain's own is a second, or a tenth, before it.
/// </summary>
public sealed class HttpClientTimeoutTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(19);

    private Chain? _chain;

    /// <summary>Where an application sets it, and how it then gets its client.</summary>
    public enum Door
    {
        ConfigureHttpClient,
        AddHttpClient,
        Defaults,
        TypedClientFactory,
        Constructor,
        ConstructorAndImplementation,
        CreatedClient,
        KeyedClient,
        TypedClientProperty,
    }

    public static TheoryData<Door> Doors => [.. Enum.GetValues<Door>()];

    [Theory, MemberData(nameof(Doors))]
    public async Task A_call_that_is_not_answered_ends_at_its_deadline_as_a_timeout(Door door)
    {
        var client = Open(door);
        _chain!.Server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => PostAsync(client));

        thrown.InnerException.ShouldBeOfType<TimeoutException>().Message.ShouldContain("HttpClient.Timeout");
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count).ShouldBe((StopReason.DeadlinePassed, FailureClass.Transient, 1));
        _chain.Clock.Elapsed.ShouldBe(Deadline);
        _chain.Logs.Call.Level.ShouldBe(LogLevel.Warning);
    }

    [Theory, MemberData(nameof(Doors))]
    public async Task A_response_with_a_Retry_After_beyond_it_is_returned_at_once(Door door)
    {
        var client = Open(door);
        _chain!.Server.Script(Replies.Status(503, ("Retry-After", "60")));

        using var response = await PostAsync(client);

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlineWouldPass);
        _chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task Two_clients_of_one_name_have_a_deadline_each()
    {
        var factory = Open().Services.GetRequiredService<IHttpClientFactory>();
        HttpClient[] clients = [.. from seconds in (int[])[10, 20, 5] select With(factory.CreateClient(Chain.Name), seconds)];
        _chain!.Server.Script(Replies.Stalls());

        foreach (var (client, seconds) in clients.Zip((double[])[9, 19, 4.5]))
        {
            var before = _chain.Clock.Elapsed;
            await Assert.ThrowsAnyAsync<TaskCanceledException>(() => PostAsync(client));
            (_chain.Clock.Elapsed - before).TotalSeconds.ShouldBe(seconds);
        }
    }

    [Fact]
    public async Task A_handler_without_an_HttpClient_has_no_HttpClient_Timeout()
    {
        var services = Open().Services;
        With(services.GetRequiredService<IHttpClientFactory>().CreateClient(Chain.Name), 5);
        _chain!.Server.Script(Replies.After(TimeSpan.FromSeconds(25), Replies.Status(200)));
        using var invoker = new HttpMessageInvoker(
            services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(Chain.Name), disposeHandler: false);

        using var response = await invoker.SendAsync(Chain.Get("https://api.test/"), TestContext.Current.CancellationToken);

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
    }

    [Fact]
    public async Task The_time_that_a_handler_outside_the_chain_takes_counts()
    {
        var time = new ManualTimeProvider { SkipsWaits = true };
        using var server = new FaultScript(time);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(time).AddHttpClient("api").AddHttpMessageHandler(() => new Slow(time))
            .ConfigurePrimaryHttpMessageHandler(() => server).AddResilience();
        var client = With(services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient("api"), 20);
        server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => client.SendAsync(new(HttpMethod.Get, "https://api.test/"), TestContext.Current.CancellationToken));

        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlinePassed);
        time.Elapsed.ShouldBe(Deadline);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_factory_of_the_applications_own_stays_and_its_latest_client_counts(bool before)
    {
        IHttpClientFactory? own = null;
        var time = new ManualTimeProvider { SkipsWaits = true };
        using var server = new FaultScript(time);
        server.Script(Replies.Stalls());
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(time).AddHttpClient();
        void AddFactory() => services.AddSingleton(provider => own = new OwnFactory(
            provider.GetRequiredService<IHttpMessageHandlerFactory>(),
            provider.GetRequiredService<IOptionsMonitor<HttpClientFactoryOptions>>()));
        if (before)
            AddFactory();
        services.AddResilientHttpClient("api").ConfigurePrimaryHttpMessageHandler(() => server);
        if (!before)
            AddFactory();
        using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<IHttpClientFactory>();
        var client = With(factory.CreateClient("api"), 20);

        await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => client.SendAsync(new(HttpMethod.Get, "https://api.test/"), TestContext.Current.CancellationToken));

        factory.ShouldBeSameAs(own);
        time.Elapsed.ShouldBe(Deadline);
    }

    [Fact]
    public async Task The_buffer_size_is_that_of_the_client_that_sends()
    {
        var factory = Open(o => (o.Retry.IncludeResponseBody, o.Retry.MaxRetryAttempts) = (true, 0)).Services
            .GetRequiredService<IHttpClientFactory>();
        HttpClient[] clients = [factory.CreateClient(Chain.Name), factory.CreateClient(Chain.Name), factory.CreateClient(Chain.Name)];
        clients[1].MaxResponseContentBufferSize = 10;
        _chain!.Server.Script(Replies.Content(200, () => new UnknownLength(100)));

        foreach (var client in (HttpClient[])[clients[0], clients[2]])
            (await SendAsync(client)).GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        var thrown = await Should.ThrowAsync<HttpRequestException>(() => SendAsync(clients[1]));

        static Task<HttpResponseMessage> SendAsync(HttpClient client) =>
            client.SendAsync(Chain.Post(), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        thrown.HttpRequestError.ShouldBe(HttpRequestError.ConfigurationLimitExceeded);
    }

    [Fact]
    public void A_client_without_a_chain_is_the_platforms()
    {
        var services = Open(services: s => s.AddHttpClient("plain", c => c.Timeout = Timeout)).Services;

        var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("plain");

        client.Timeout.ShouldBe(Timeout);
        services.GetRequiredService<IHttpClientFactory>().ShouldBeOfType<SendingClientFactory>();
    }

    [Fact]
    public async Task Requests_pass_a_handler_that_the_applications_factory_of_handlers_puts_around_the_chain()
    {
        int passed = 0;
        Open(services: s =>
        {
            var platforms = s.Last(d => d.ServiceType == typeof(IHttpMessageHandlerFactory) && !d.IsKeyedService);
            s.AddSingleton<IHttpMessageHandlerFactory>(p => new CountingFactory(
                (IHttpMessageHandlerFactory)platforms.ImplementationFactory!(p), () => passed++));
        });
        _chain!.Server.Script(Replies.Status(200));

        (await PostAsync(_chain.Client)).Dispose();

        passed.ShouldBe(1);
    }

    [Fact]
    public void Each_action_on_a_client_runs_once()
    {
        int count = 0;
        Open(client: b => b.ConfigureHttpClient(_ => count++));

        _ = _chain!.Client;

        count.ShouldBe(1);
    }

    public void Dispose() => _chain?.Dispose();

    private HttpClient Open(Door door)
    {
        Open(client: b => _ = door switch
        {
            Door.ConfigureHttpClient => b.ConfigureHttpClient(c => c.Timeout = Timeout),
            Door.AddHttpClient => b.Services.AddHttpClient(Chain.Name, c => c.Timeout = Timeout),
            Door.TypedClientFactory => b.AddTypedClient(c => new Typed(With(c, 20))),
            Door.Constructor => b.AddTypedClient<SetsTimeout>(),
            Door.ConstructorAndImplementation => b.AddTypedClient<ITyped, SetsTimeout>(),
            Door.TypedClientProperty => b.AddTypedClient<Typed>(),
            Door.KeyedClient => b.AddAsKeyed(),
            _ => b,
        }, services: s =>
        {
            if (door is Door.Defaults)
                s.ConfigureHttpClientDefaults(b => b.ConfigureHttpClient(c => c.Timeout = Timeout));
        });
        var services = _chain!.Services;
        return door switch
        {
            Door.TypedClientFactory => services.GetRequiredService<Typed>().Client,
            Door.TypedClientProperty => With(services.GetRequiredService<Typed>().Client, 20),
            Door.Constructor => services.GetRequiredService<SetsTimeout>().Client,
            Door.ConstructorAndImplementation => services.GetRequiredService<ITyped>().Client,
            Door.CreatedClient => With(_chain.Client, 20),
            Door.KeyedClient => With(services.GetRequiredKeyedService<HttpClient>(Chain.Name), 20),
            _ => _chain.Client,
        };
    }

    private Chain Open(Action<HttpResilienceOptions>? options = null, Action<IHttpClientBuilder>? client = null,
        Action<IServiceCollection>? services = null) => _chain = new(options, client, services);

    private static Task<HttpResponseMessage> PostAsync(HttpClient client) =>
        client.SendAsync(Chain.Post(), TestContext.Current.CancellationToken);

    private static HttpClient With(HttpClient client, int seconds)
    {
        client.Timeout = TimeSpan.FromSeconds(seconds);
        return client;
    }

    private interface ITyped
    {
        HttpClient Client { get; }
    }

    private sealed class Typed(HttpClient client) : ITyped
    {
        public HttpClient Client => client;
    }

    private sealed class SetsTimeout : ITyped
    {
        public SetsTimeout(HttpClient client) => Client = With(client, 20);

        public HttpClient Client { get; }
    }

    private sealed class Slow(ManualTimeProvider time) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            time.Advance(TimeSpan.FromSeconds(7));
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class CountingFactory(IHttpMessageHandlerFactory platforms, Action passed) : IHttpMessageHandlerFactory
    {
        public HttpMessageHandler CreateHandler(string name) =>
            new Counting(((DelegatingHandler)platforms.CreateHandler(name)).InnerHandler!, passed);
    }

    private sealed class Counting(HttpMessageHandler inner, Action passed) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            passed();
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class OwnFactory(IHttpMessageHandlerFactory handlers, IOptionsMonitor<HttpClientFactoryOptions> options)
        : IHttpClientFactory
    {
        public HttpClient CreateClient(string name)
        {
            var client = new HttpClient(handlers.CreateHandler(name), disposeHandler: false);
            foreach (var action in options.Get(name).HttpClientActions)
                action(client);
            return client;
        }
    }

    private sealed class UnknownLength(int length) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            stream.WriteAsync(new byte[length]).AsTask();

        protected override bool TryComputeLength(out long computed)
        {
            computed = 0;
            return false;
        }
    }
}
