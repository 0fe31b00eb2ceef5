using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Calls;

/// <summary>
/// Handlers that the application put on a client before the chain run outside of it, once per call: what they send on the way of a call has
/// nothing of the scopes around it.
/// </summary>
public sealed class OutsideHandlerScopeTests : IDisposable
{
    private const string Key = "comp1:invoice:001";

    private readonly ManualTimeProvider _clock = new() { SkipsWaits = true };
    private readonly FaultScript _api;
    private readonly FaultScript _login;
    private readonly LogCollector _logs = new();
    private ServiceProvider? _services;

    public OutsideHandlerScopeTests() => (_api, _login) = (new(_clock), new(_clock));

    [Theory, InlineData(true, true), InlineData(false, true), InlineData(true, false), InlineData(false, false)]
    public async Task The_call_of_a_token_handler_has_nothing_of_the_scope(bool async, bool hasFilters)
    {
        Build(LogsIn, hasFilters);
        using var scope = HttpCallScope.Begin(new()
        {
            IdempotencyKey = Key,
            Tenant = "comp1",
            MaxRetryAttempts = 0,
            Timeout = TimeSpan.FromSeconds(5),
            Tags = { ["url.template"] = "/invoices/{id}" },
        });

        await PostAsync(async);

        _api.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe(Key);
        _login.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldNotBe(Key);
        var token = _logs.Calls.Single(c => c["ClientName"] is "login");
        (token["Tenant"], token["Path"]).ShouldBe((null, "/token"));
        var call = _logs.Calls.Single(c => c["ClientName"] is "api");
        (call["Tenant"], call["Path"]).ShouldBe(("comp1", "/invoices/{id}"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_scope_goes_on_after_the_call(bool async)
    {
        Build(LogsIn);
        using var scope = HttpCallScope.Begin(new() { Tenant = "comp1" });

        await PostAsync(async);
        await PostAsync(async);

        _logs.Calls.Where(c => c["ClientName"] is "api").Select(c => c["Tenant"]).ShouldBe(["comp1", "comp1"]);
    }

    [Fact]
    public async Task Every_record_of_a_batch_has_its_own_key()
    {
        Build(LogsIn);

        var report = await IsolatedBatch.RunAsync(
            Enumerable.Range(0, 12), async (_, _) => await PostAsync(async: true),
            new() { Scope = (row, _) => new() { IdempotencyKey = $"row-{row}" }, MaxParallelism = 1 },
            TestContext.Current.CancellationToken);

        report.Succeeded.ShouldBe(12);
        _api.Requests.Select(r => r.IdempotencyKey).ShouldBe(Enumerable.Range(0, 12).Select(row => $"row-{row}"));
        _login.Requests.ShouldAllBe(r => !r.IdempotencyKey!.StartsWith("row-"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_scope_that_a_handler_begins_adds_to_that_of_the_application(bool async)
    {
        Build(async (request, send) =>
        {
            using (HttpCallScope.Begin(new() { Tenant = "of the handler" }))
            {
                await LoginAsync(async);
                return await send(request);
            }
        });
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = Key, Tenant = "of the application", Tags = { ["row"] = 1 } });

        await PostAsync(async);

        _api.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe(Key);
        _login.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldNotBe(Key);
        _logs.Calls.Select(c => (c["ClientName"], c["Tenant"], c["row"]))
            .ShouldBe([("login", "of the handler", null), ("api", "of the handler", 1)]);
    }

    [Theory, InlineData("the same"), InlineData("a copy"), InlineData("a copy with its options")]
    public async Task A_request_that_a_handler_sends_again_has_the_scope(string what)
    {
        Build(async (request, send) =>
        {
            (await send(Again(request, what))).Dispose();
            return await send(Again(request, what));
        });
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = Key, Tenant = "comp1" });

        await PostAsync(async: true);

        _api.Requests.Select(r => r.IdempotencyKey).ShouldBe([Key, Key]);
        _logs.Calls.Select(c => c["Tenant"]).ShouldBe(["comp1", "comp1"]);
    }

    [Fact]
    public async Task A_call_of_the_same_client_on_the_way_has_nothing_of_the_scope()
    {
        int depth = 0;
        Build(async (request, send) =>
        {
            if (Interlocked.Increment(ref depth) == 1)
                (await Client("api").PostAsync("session", new StringContent("grant"), TestContext.Current.CancellationToken)).Dispose();
            return await send(request);
        });
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = Key, Tenant = "comp1" });

        await PostAsync(async: true);

        _api.Requests.Select(r => (r.Uri.AbsolutePath, r.IdempotencyKey == Key)).ShouldBe([("/session", false), ("/invoices", true)]);
        _logs.Calls.Select(c => c["Tenant"]).ShouldBe([null, "comp1"]);
    }

    [Fact]
    public async Task A_call_through_the_handlers_without_an_http_client_has_the_scope_alone()
    {
        Build(LogsIn);
        using var invoker = new HttpMessageInvoker(_services!.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("api"), false);
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = Key });

        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.test/invoices") { Content = new StringContent("1") };
        (await invoker.SendAsync(request, TestContext.Current.CancellationToken)).Dispose();

        _api.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe(Key);
        _login.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldNotBe(Key);
    }

    public void Dispose()
    {
        _services?.Dispose();
        _api.Dispose();
        _login.Dispose();
    }

    private void Build(Func<HttpRequestMessage, Func<HttpRequestMessage, Task<HttpResponseMessage>>, Task<HttpResponseMessage>> handle,
        bool hasFilters = true)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_clock).AddLogging(logging => logging.AddProvider(_logs));
        services.AddHttpClient("api", c => c.BaseAddress = new("https://api.test/")).ConfigurePrimaryHttpMessageHandler(() => _api)
            .AddHttpMessageHandler(() => new Handler(handle)).AddResilience();
        services.AddResilientHttpClient("login").ConfigureHttpClient(c => c.BaseAddress = new("https://login.test/"))
            .ConfigurePrimaryHttpMessageHandler(() => _login);
        if (!hasFilters)
            services.RemoveAll<IHttpMessageHandlerBuilderFilter>();
        _services = services.BuildServiceProvider();
    }

    private async Task<HttpResponseMessage> LogsIn(
        HttpRequestMessage request, Func<HttpRequestMessage, Task<HttpResponseMessage>> send)
    {
        await LoginAsync(async: false);
        return await send(request);
    }

    private HttpClient Client(string name) => _services!.GetRequiredService<IHttpClientFactory>().CreateClient(name);

    private Task LoginAsync(bool async) => SendAsync(Client("login"), "token", async);

    private Task PostAsync(bool async) => SendAsync(Client("api"), "invoices", async);

    private static async Task SendAsync(HttpClient client, string uri, bool async)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new StringContent("1") };
        var token = TestContext.Current.CancellationToken;
        (async ? await client.SendAsync(request, token) : client.Send(request, token)).Dispose();
    }

    private static HttpRequestMessage Again(HttpRequestMessage request, string what)
    {
        if (what is "the same")
            return request;
        var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Content = new StringContent("1") };
        if (what is "a copy with its options")
        {
            foreach (var (name, value) in request.Options)
                copy.Options.Set(new(name), value);
        }

        return copy;
    }

    private sealed class Handler(
        Func<HttpRequestMessage, Func<HttpRequestMessage, Task<HttpResponseMessage>>, Task<HttpResponseMessage>> handle) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            handle(request, r => base.SendAsync(r, cancellationToken));

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            handle(request, r => Task.FromResult(base.Send(r, cancellationToken))).GetAwaiter().GetResult();
    }
}
