using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Clients;

/// <summary>Every way to give a client the chain.</summary>
public sealed class RegistrationTests : IDisposable
{
    private readonly ManualTimeProvider _clock = new() { SkipsWaits = true };
    private readonly IServiceCollection _services = new ServiceCollection();
    private readonly FaultScript _server;

    public RegistrationTests()
    {
        _server = new(_clock);
        _server.Script(Replies.Status(503), Replies.Status(200));
        _services.AddSingleton<TimeProvider>(_clock);
    }

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task A_named_client()
    {
        Use(_services.AddResilientHttpClient("invoices")).Name.ShouldBe("invoices");

        await AssertResilientAsync(s => s.GetRequiredService<IHttpClientFactory>().CreateClient("invoices"), "invoices");
    }

    [Fact]
    public async Task A_typed_client_is_named_after_its_type()
    {
        Use(_services.AddResilientHttpClient<InvoiceClient>()).Name.ShouldBe(nameof(InvoiceClient));

        await AssertResilientAsync(s => s.GetRequiredService<InvoiceClient>().Http, nameof(InvoiceClient));
    }

    [Fact]
    public async Task A_typed_client_under_a_name_of_its_own()
    {
        Use(_services.AddResilientHttpClient<InvoiceClient>("invoices")).Name.ShouldBe("invoices");

        await AssertResilientAsync(s => s.GetRequiredService<InvoiceClient>().Http, "invoices");
    }

    [Fact]
    public async Task An_interface_and_its_implementation()
    {
        Use(_services.AddResilientHttpClient<IInvoiceClient, InvoiceClient>()).Name.ShouldBe(nameof(IInvoiceClient));

        await AssertResilientAsync(s => s.GetRequiredService<IInvoiceClient>().Http, nameof(IInvoiceClient));
    }

    [Fact]
    public async Task An_interface_and_its_implementation_under_a_name_of_its_own()
    {
        Use(_services.AddResilientHttpClient<IInvoiceClient, InvoiceClient>("invoices")).Name.ShouldBe("invoices");

        await AssertResilientAsync(s => s.GetRequiredService<IInvoiceClient>().Http, "invoices");
    }

    [Fact]
    public async Task A_client_that_was_there_before()
    {
        var builder = Use(_services.AddHttpClient("invoices"));

        builder.AddResilience().ShouldBeSameAs(builder);

        await AssertResilientAsync(s => s.GetRequiredService<IHttpClientFactory>().CreateClient("invoices"), "invoices");
    }

    [Theory, InlineData("invoices"), InlineData("")]
    public async Task All_clients_at_once(string name)
    {
        _services.ConfigureHttpClientDefaults(defaults => Use(defaults.AddResilience()));
        _services.AddHttpClient("invoices");

        await AssertResilientAsync(s => s.GetRequiredService<IHttpClientFactory>().CreateClient(name), name);
    }

    [Fact]
    public async Task Every_overload_takes_code_that_configures()
    {
        _services.AddResilientHttpClient("a", o => o.Retry.MaxRetryAttempts = 11);
        _services.AddResilientHttpClient<InvoiceClient>(o => o.Retry.MaxRetryAttempts = 12);
        _services.AddResilientHttpClient<InvoiceClient>("b", o => o.Retry.MaxRetryAttempts = 13);
        _services.AddResilientHttpClient<IInvoiceClient, InvoiceClient>(configure: o => o.Retry.MaxRetryAttempts = 14);
        _services.AddResilientHttpClient<IInvoiceClient, InvoiceClient>("c", o => o.Retry.MaxRetryAttempts = 15);
        _services.AddHttpClient("d").AddResilience(o => o.Retry.MaxRetryAttempts = 16);
        await using var provider = _services.BuildServiceProvider();

        string[] names = ["a", nameof(InvoiceClient), "b", nameof(IInvoiceClient), "c", "d"];
        names.Select(n => provider.GetRequiredKeyedService<Client>(n).Policy.Retry.MaxRetryAttempts)
            .ShouldBe([11, 12, 13, 14, 15, 16]);
    }

    [Fact]
    public void The_clock_is_that_of_the_application_even_when_it_is_registered_later()
    {
        _services.AddResilientHttpClient("invoices");
        var clock = new ManualTimeProvider();
        _services.AddSingleton<TimeProvider>(clock);
        using var provider = _services.BuildServiceProvider();

        provider.GetRequiredKeyedService<Client>("invoices").Time.ShouldBeSameAs(clock);
    }

    [Fact]
    public async Task Registered_twice_the_chain_does_not_stack()
    {
        Use(_services.AddResilientHttpClient("invoices").AddResilience().AddResilience());
        _services.AddResilientHttpClient("invoices");
        _services.ConfigureHttpClientDefaults(defaults => defaults.AddResilience());
        await using var provider = _services.BuildServiceProvider();

        Chain.BuildHandlers(provider, "invoices").AdditionalHandlers.Select(h => h.GetType()).ShouldBe(
            [typeof(RequestLoggingHandler), typeof(IdempotencyKeyHandler), typeof(RetryHandler), typeof(CircuitBreakerHandler)]);
        await AssertResilientAsync(s => s.GetRequiredService<IHttpClientFactory>().CreateClient("invoices"), "invoices");
    }

    [Fact]
    public async Task Registered_twice_the_later_code_has_the_last_word()
    {
        _services.AddResilientHttpClient("invoices", o => (o.Retry.MaxRetryAttempts, o.Retry.BackoffFactor) = (7, 3));
        _services.AddResilientHttpClient("invoices", o => o.Retry.MaxRetryAttempts = 8);
        await using var provider = _services.BuildServiceProvider();

        var policy = provider.GetRequiredKeyedService<Client>("invoices").Policy;
        (policy.Retry.MaxRetryAttempts, policy.Retry.Backoff.Factor).ShouldBe((8, 3));
    }

    [Fact]
    public async Task A_stage_that_is_switched_off_is_not_in_the_chain()
    {
        _services.AddResilientHttpClient("invoices", o =>
        {
            o.Idempotency.Enabled = false;
            o.CircuitBreaker.BreakDuration = null;
        });
        await using var provider = _services.BuildServiceProvider();

        Chain.BuildHandlers(provider,
            "invoices").AdditionalHandlers.Select(h => h.GetType()).ShouldBe([typeof(RequestLoggingHandler), typeof(RetryHandler)]);
    }

    [Fact]
    public async Task Other_clients_are_unchanged()
    {
        _services.AddResilientHttpClient("invoices");
        _services.AddHttpClient("other");
        await using var provider = _services.BuildServiceProvider();

        Chain.BuildHandlers(provider, "other").AdditionalHandlers.ShouldNotContain(h => h is ChainHandler);
        provider.GetRequiredService<IHttpClientFactory>().CreateClient("other").Timeout.ShouldBe(TimeSpan.FromSeconds(100));
    }

    [Fact]
    public void The_chain_used_without_its_head_says_what_is_missing()
    {
        using var invoker = new HttpMessageInvoker(new IdempotencyKeyHandler(null!) { InnerHandler = _server });

        Should.Throw<InvalidOperationException>(() => invoker.Send(Chain.Get("https://api.test/"), TestContext.Current.CancellationToken))
            .Message.ShouldContain("AddResilientHttpClient");
    }

    private IHttpClientBuilder Use(IHttpClientBuilder builder) => builder.ConfigurePrimaryHttpMessageHandler(() => _server);

    private async Task AssertResilientAsync(Func<IServiceProvider, HttpClient> create, string name)
    {
        await using var provider = _services.BuildServiceProvider(validateScopes: true);
        using var scope = provider.CreateScope();

        using var response = await create(scope.ServiceProvider).SendAsync(
            Chain.Get("https://api.test/"), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(200);
        _server.Requests.Count.ShouldBe(2);
        response.GetHttpCall()!.ClientName.ShouldBe(name);
    }

    private interface IInvoiceClient
    {
        HttpClient Http { get; }
    }

    private sealed class InvoiceClient(HttpClient http) : IInvoiceClient
    {
        public HttpClient Http => http;
    }

    [Fact]
    public void Null_is_refused_by_name()
    {
        Should.Throw<ArgumentNullException>(() => ((IHttpClientBuilder)null!).AddResilience()).ParamName.ShouldBe("builder");
        Should.Throw<ArgumentNullException>(() => ((IServiceCollection)null!).AddResilientHttpClient("x")).ParamName.ShouldBe("services");
        Should.Throw<ArgumentNullException>(() => ((IServiceCollection)null!).AddDeadLetterReplay()).ParamName.ShouldBe("services");
        Should.Throw<ArgumentNullException>(() => ((IServiceCollection)null!).AddHttpResilienceStorage(_ => { })).ParamName
            .ShouldBe("services");
        Should.Throw<ArgumentNullException>(() => new ServiceCollection().AddResilientHttpClient(null!));
    }
}
