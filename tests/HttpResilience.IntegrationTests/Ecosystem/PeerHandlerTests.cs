using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Polly;

namespace HttpResilience.IntegrationTests.Ecosystem;

/// <summary>
/// Handlers of Microsoft.Extensions.Http.Resilience and Microsoft.Extensions.Http.Polly beside the chain: those of all clients are
/// replaced, those of the client stay with a Warning, as retries multiply.
/// </summary>
public sealed class PeerHandlerTests : IAsyncDisposable
{
    private const string Name = "orders";

    private readonly LogCollector _log = new();
    private IHost? _host;

    public static TheoryData<string, string, int> Peers => new()
    {
        { "AddResilienceHandler inside", "AddResilienceHandler", 4 },
        { "AddResilienceHandler outside", "AddResilienceHandler", 4 },
        { "AddStandardResilienceHandler", "AddStandardResilienceHandler", 4 },
        { "AddStandardHedgingHandler", "AddStandardHedgingHandler", 4 },
        { "AddPolicyHandler inside", "AddPolicyHandler", 4 },
        { "AddPolicyHandler outside", "AddPolicyHandler", 4 },
        { "AddPolicyHandler of all clients", "AddPolicyHandler", 4 },
        { "AddTransientHttpErrorPolicy", "AddTransientHttpErrorPolicy", 4 },
        { "primary handler", "AddResilienceHandler", 4 },
    };

    [Theory, MemberData(nameof(Peers))]
    public async Task A_handler_of_the_application_stays_with_one_warning_at_start(string peer, string named, int requests)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        await StartAsync(services =>
        {
            if (peer is "AddPolicyHandler of all clients")
                services.ConfigureHttpClientDefaults(all => all.AddPolicyHandler(RetryOnce));
            var builder = services.AddHttpClient(Name);
            if (peer is "AddPolicyHandler outside")
                builder.AddPolicyHandler(RetryOnce);
            if (peer is "AddResilienceHandler outside")
                builder.AddResilienceHandler("mine", RetryOnceAgain);
            builder.AddResilience(o =>
            {
                o.BaseAddress = server.Uri;
                (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (1, TimeSpan.Zero);
            });
            if (peer is "AddPolicyHandler inside")
                builder.AddPolicyHandler(RetryOnce);
            if (peer is "AddTransientHttpErrorPolicy")
                builder.AddTransientHttpErrorPolicy(policy => policy.RetryAsync(1));
            if (peer is "AddResilienceHandler inside")
                builder.AddResilienceHandler("mine", RetryOnceAgain);
            if (peer is "AddStandardResilienceHandler")
                builder.AddStandardResilienceHandler(o => (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (1, TimeSpan.Zero));
            if (peer is "AddStandardHedgingHandler")
            {
                builder.AddStandardHedgingHandler().Configure(
                    o => (o.Hedging.MaxHedgedAttempts, o.Hedging.Delay) = (1, TimeSpan.FromSeconds(20)));
            }

            if (peer is "primary handler")
            {
                var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>();
                RetryOnceAgain(pipeline);
                builder.ConfigurePrimaryHttpMessageHandler(
                    () => new ResilienceHandler(pipeline.Build()) { InnerHandler = new SocketsHttpHandler() });
            }
        });

        var warning = _log.Lines.Where(l => l.EventId == 420).ShouldHaveSingleItem();
        (warning.Level, warning["ClientName"]).ShouldBe((LogLevel.Warning, Name));
        warning.Text.ShouldContain(named);
        warning.Text.ShouldContain("AddResilientHttpClient");
        using var client = Create();
        client.Timeout.ShouldBe(TimeSpan.FromSeconds(101));
        (await client.GetAsync("/", TestContext.Current.CancellationToken)).Dispose();

        server.Requests.Count.ShouldBe(requests);
        _log.Lines.Count(l => l.EventId == 420).ShouldBe(1);
        _log.Lines.ShouldNotContain(l => l.EventId == 404);
    }

    [Theory]
    [InlineData("pipeline outside", true)]
    [InlineData("pipeline outside", false)]
    [InlineData("context of the application", true)]
    [InlineData("context of the application", false)]
    [InlineData("none", true)]
    public async Task An_attempt_through_a_pipeline_inside_the_chain_ends_with_its_timeout(string around, bool async)
    {
        var time = new ManualTimeProvider { SkipsWaits = true };
        var script = new FaultScript(time).NeverAnswers();
        await StartAsync(services =>
        {
            services.AddSingleton<TimeProvider>(time);
            var builder = services.AddHttpClient(Name, c => c.BaseAddress = new("https://orders.example.com"));
            if (around is "pipeline outside")
                builder.AddResilienceHandler("outside", p => p.AddTimeout(TimeSpan.FromHours(1)));
            builder.AddResilience(o =>
            {
                (o.AttemptTimeout.Timeout, o.Retry.MaxRetryAttempts) = (TimeSpan.FromSeconds(2), 1);
                (o.Retry.Delay, o.Logging.KeepFactoryLogging) = (TimeSpan.Zero, true);
            });
            builder.AddResilienceHandler("inside", p => p.AddTimeout(TimeSpan.FromHours(1)));
            builder.ConfigurePrimaryHttpMessageHandler(() => script);
        });
        using var client = Create();
        var request = new HttpRequestMessage(HttpMethod.Get, "/");
        if (around is "context of the application")
            request.SetResilienceContext(ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken));

        await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => async ? client.SendAsync(request, TestContext.Current.CancellationToken)
                : Task.Run(() => client.Send(request, TestContext.Current.CancellationToken)));

        (script.RequestCount, time.Elapsed).ShouldBe((2, TimeSpan.FromSeconds(4)));
        (request.GetResilienceContext() is not null).ShouldBe(around is "context of the application");
    }

    public static TheoryData<string, bool> OfAllClients => new()
    {
        { "standard", true }, { "standard", false }, { "hedging", true }, { "custom", true }, { "custom", false }, { "two", true },
    };

    [Theory, MemberData(nameof(OfAllClients))]
    public async Task A_handler_of_all_clients_is_replaced(string peer, bool hasFilters)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        await StartAsync(services =>
        {
            services.AddResilientHttpClient(Name, o =>
            {
                o.BaseAddress = server.Uri;
                (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (1, TimeSpan.Zero);
            });
            services.ConfigureHttpClientDefaults(all =>
            {
                if (peer is "standard" or "two")
                    all.AddStandardResilienceHandler();
                if (peer is "hedging")
                    all.AddStandardHedgingHandler();
                if (peer is "custom" or "two")
                    all.AddResilienceHandler("mine", RetryOnceAgain);
            });
            if (!hasFilters)
                services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
        });
        using var client = Create();

        client.Timeout.ShouldBe(TimeSpan.FromSeconds(101));
        (await client.GetAsync("/", TestContext.Current.CancellationToken)).Dispose();

        server.Requests.Count.ShouldBe(2);
        _log.Lines.Count(l => l.EventId == 404).ShouldBe(1);
        _log.Lines.ShouldNotContain(l => l.EventId == 420);
    }

    [Theory, InlineData("default"), InlineData("client"), InlineData("constructor")]
    public async Task An_infinite_timeout_of_the_application_stays(string place)
    {
        await StartAsync(services =>
        {
            services.ConfigureHttpClientDefaults(all =>
            {
                all.AddStandardResilienceHandler();
                if (place is "default")
                    all.ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan);
            });
            var builder = services.AddResilientHttpClient<Typed>(Name);
            if (place is "client")
                builder.ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan);
        });

        var typed = _host!.Services.GetRequiredService<Typed>();
        if (place is "constructor")
            typed.Http.Timeout = Timeout.InfiniteTimeSpan;

        typed.Http.Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public async Task Microsofts_handlers_can_be_taken_off_a_client()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        await StartAsync(services =>
        {
            services.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler());
            services.AddResilientHttpClient(Name, o =>
            {
                o.BaseAddress = server.Uri;
                (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (1, TimeSpan.Zero);
            }).AddStandardResilienceHandler();
            // As RemoveAllResilienceHandlers does, which is experimental.
            services.AddHttpClient(Name).ConfigureAdditionalHttpMessageHandlers((handlers, _) =>
            {
                foreach (var handler in handlers.OfType<ResilienceHandler>().ToArray())
                    handlers.Remove(handler);
            });
        });
        using var client = Create();

        (await client.GetAsync("/", TestContext.Current.CancellationToken)).Dispose();

        server.Requests.Count.ShouldBe(2);
        _log.Lines.ShouldNotContain(l => l.EventId == 420);
    }

    [Theory]
    [InlineData("never had it"), InlineData("RemoveResilience"), InlineData("RemoveResilience first")]
    [InlineData("RemoveResilience of all")]
    public async Task A_client_without_the_chain_keeps_its_handlers_and_its_timeout(string why)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        await StartAsync(services =>
        {
            services.AddResilientHttpClient("other");
            var builder = services.AddHttpClient(Name, c => c.BaseAddress = server.Uri);
            if (why is "RemoveResilience first")
                builder.RemoveResilience();
            builder.AddResilienceHandler("mine", RetryOnceAgain);
            services.ConfigureHttpClientDefaults(all => all.AddStandardResilienceHandler(o => o.Retry.MaxRetryAttempts = 1));
            if (why is not "never had it")
                services.ConfigureHttpClientDefaults(all => all.AddResilience());
            if (why is "RemoveResilience")
                builder.RemoveResilience();
            if (why is "RemoveResilience of all")
                services.ConfigureHttpClientDefaults(all => all.RemoveResilience());
        });
        using var client = Create();

        client.Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
        (await client.GetAsync("/", TestContext.Current.CancellationToken)).Dispose();

        server.Requests.Count.ShouldBe(4);
        _log.Lines.ShouldNotContain(l => (l.EventId == 420 || l.EventId == 404) && (string)l["ClientName"]! == Name);
    }

    [Fact]
    public async Task The_chain_of_all_clients_warns_of_each_client_by_name()
    {
        await StartAsync(services =>
        {
            services.AddHttpClient("a").AddPolicyHandler(RetryOnce);
            services.AddHttpClient("b").AddPolicyHandler(RetryOnce).AddResilienceHandler("mine", RetryOnceAgain);
            services.AddHttpClient("c");
            services.ConfigureHttpClientDefaults(all => all.AddResilience());
        });

        var warnings = _log.Lines.Where(l => l.EventId == 420).ToList();
        warnings.Select(l => l["ClientName"]).ShouldBe(["a", "b"], ignoreOrder: true);
        var both = warnings.Single(l => l["ClientName"] is "b");
        both.Text.ShouldContain("AddResilienceHandler");
        both.Text.ShouldContain("AddPolicyHandler");
    }

    [Fact]
    public async Task A_handler_that_cannot_be_made_at_start_fails_neither_the_start_nor_a_later_call()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        bool hasSecret = false;
        await StartAsync(services => services.AddResilientHttpClient(Name, o => o.BaseAddress = server.Uri).AddPolicyHandler(RetryOnce)
            .AddHttpMessageHandler(() => hasSecret ? new Plain() : throw new InvalidOperationException("no secret yet")));
        hasSecret = true;
        using var client = Create();

        (await client.GetAsync("/", TestContext.Current.CancellationToken)).Dispose();

        server.Requests.Count.ShouldBe(1);
        _log.Lines.Count(l => l.EventId == 420).ShouldBe(1);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Handlers_are_made_and_disposed_once_more_at_start_and_work_afterwards(bool isShared)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await StartAsync(services =>
        {
            if (isShared)
                services.AddSingleton<Plain>();
            else
                services.AddTransient<Plain>();
            services.AddResilientHttpClient(Name, o => o.BaseAddress = server.Uri).AddPolicyHandler(RetryOnce)
                .AddHttpMessageHandler<Plain>();
        });
        using var client = Create();

        (await client.GetAsync("/", TestContext.Current.CancellationToken)).IsSuccessStatusCode.ShouldBeTrue();
    }

    public async ValueTask DisposeAsync()
    {
        _log.Dispose();
        if (_host is null)
            return;
        await _host.StopAsync(TestContext.Current.CancellationToken);
        _host.Dispose();
    }

    private static IAsyncPolicy<HttpResponseMessage> RetryOnce =>
        Policy.HandleResult<HttpResponseMessage>(r => (int)r.StatusCode == 503).RetryAsync(1);

    private static void RetryOnceAgain(ResiliencePipelineBuilder<HttpResponseMessage> pipeline) => pipeline.AddRetry(new()
    {
        ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Result is { IsSuccessStatusCode: false }),
        MaxRetryAttempts = 1,
        Delay = TimeSpan.Zero,
    });

    private HttpClient Create() => _host!.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Name);

    private Task StartAsync(Action<IServiceCollection> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(_log);
        add(builder.Services);
        _host = builder.Build();
        return _host.StartAsync(TestContext.Current.CancellationToken);
    }

    private sealed class Plain : DelegatingHandler;

    private sealed class Typed(HttpClient http)
    {
        internal HttpClient Http => http;
    }
}
