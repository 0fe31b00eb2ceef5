using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Calls;

/// <summary>Whom a scope is for: the calls that the application makes in it, and no others.</summary>
public sealed class ScopeReachTests : IDisposable
{
    private readonly FaultScript _login;
    private readonly Chain _chain;
    private int _expired = 1;

    public ScopeReachTests()
    {
        _chain = new(
            client: b => b.AddHttpMessageHandler(s => new TokenHandler(s, () => Interlocked.Exchange(ref _expired, 0) == 1)),
            services: s => s.AddResilientHttpClient("login").ConfigureHttpClient(c => c.BaseAddress = new("https://login.test/"))
                .ConfigurePrimaryHttpMessageHandler(() => _login!));
        _login = new(_chain.Clock);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_call_of_a_token_handler_has_nothing_of_the_scope(bool async)
    {
        using var scope = HttpCallScope.Begin(new()
        {
            IdempotencyKey = "comp1:invoice:001",
            Tenant = "comp1",
            MaxRetryAttempts = 0,
            Timeout = TimeSpan.FromSeconds(5),
            Tags = { ["url.template"] = "/invoices/{id}" },
        });

        using var response = await _chain.PostAsync(async);

        _chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("comp1:invoice:001");
        _login.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldNotBe("comp1:invoice:001");
        var token = _chain.Logs.Calls.Single(c => c["ClientName"] is "login");
        (token["Tenant"], token["Path"]).ShouldBe((null, "/token"));
        var call = _chain.Logs.Calls.Single(c => c["ClientName"] is Chain.Name);
        (call["Tenant"], call["Path"]).ShouldBe(("comp1", "/invoices/{id}"));
    }

    [Fact]
    public async Task The_call_of_a_token_handler_is_repeated_whatever_the_scope_says()
    {
        _login.Script(Replies.Status(503), Replies.Status(200));
        using var scope = HttpCallScope.Begin(new() { MaxRetryAttempts = 0 });

        (await _chain.PostAsync()).Dispose();

        _login.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Every_record_of_a_batch_has_its_own_key_when_the_token_expires_in_between()
    {
        var report = await IsolatedBatch.RunAsync(
            Enumerable.Range(0, 12),
            async (row, token) =>
            {
                if (row % 4 == 0)
                    Volatile.Write(ref _expired, 1);
                (await _chain.Client.SendAsync(Chain.Post(), token)).EnsureSuccessStatusCode().Dispose();
            },
            new() { Scope = (row, _) => new() { IdempotencyKey = $"row-{row}" }, MaxParallelism = 1 },
            TestContext.Current.CancellationToken);

        (report.Succeeded, report.Failed).ShouldBe((12, 0));
        _chain.Server.Requests.Select(r => r.IdempotencyKey).ShouldBe(Enumerable.Range(0, 12).Select(row => $"row-{row}"));
        _login.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task The_calls_of_a_reconciler_have_nothing_of_the_scope()
    {
        using var chain = new Chain(
            o => o.Idempotency.Enabled = false,
            services: s => s.AddKeyedSingleton<IReconciler>(Chain.Name, (provider, _) => new Searching(provider)));
        chain.Server.Script(Replies.Reset(), Replies.Status(200), Replies.Status(201));
        using var scope = HttpCallScope.Begin(new() { Tenant = "comp1" });

        (await chain.PostAsync()).Dispose();

        chain.Logs.Calls.Select(c => (c["Method"], c["Tenant"])).ShouldBe([("GET", null), ("POST", "comp1")]);
    }

    [Fact]
    public async Task A_key_is_for_the_client_that_the_scope_names()
    {
        Volatile.Write(ref _expired, 0);
        using var scope = HttpCallScope.Begin(new() { ClientName = Chain.Name, IdempotencyKey = "comp1:invoice:001", Tenant = "comp1" });

        // As a typed client does that fetches its token by itself.
        (await LoginAsync()).Dispose();
        (await _chain.PostAsync()).Dispose();

        _login.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldNotBe("comp1:invoice:001");
        _chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("comp1:invoice:001");
        _chain.Logs.Calls.Single(c => c["ClientName"] is "login")["Tenant"].ShouldBeNull();
    }

    [Theory, InlineData("partner"), InlineData("Partner.Generated, Version=1.0.0.0"), InlineData(null)]
    public async Task Either_name_of_a_client_names_it(string? name)
    {
        using var chain = new Chain(services: s => s.AddHttpClient("Partner.Generated, Version=1.0.0.0").AddResilience("partner")
            .ConfigurePrimaryHttpMessageHandler(() => _login));
        using var scope = HttpCallScope.Begin(new() { ClientName = name, IdempotencyKey = "comp1:invoice:001" });

        (await chain.Services.GetRequiredService<IHttpClientFactory>().CreateClient("Partner.Generated, Version=1.0.0.0")
            .PostAsync("https://partner.test/", new StringContent("1"), TestContext.Current.CancellationToken)).Dispose();

        _login.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("comp1:invoice:001");
    }

    [Fact]
    public async Task One_key_in_scopes_for_two_clients_is_the_key_of_each()
    {
        Volatile.Write(ref _expired, 0);
        using var outer = HttpCallScope.Begin(new() { ClientName = Chain.Name, IdempotencyKey = "comp1:invoice:001" });
        (await _chain.PostAsync()).Dispose();
        using var inner = HttpCallScope.Begin(new() { ClientName = "login", IdempotencyKey = "comp1:invoice:001" });

        (await LoginAsync()).Dispose();

        _chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("comp1:invoice:001");
        _login.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("comp1:invoice:001");
    }

    [Fact]
    public async Task Without_a_name_a_key_is_for_the_client_that_uses_it_first()
    {
        Volatile.Write(ref _expired, 0);
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "comp1:invoice:001" });

        (await _chain.PostAsync()).Dispose();
        (await LoginAsync()).Dispose();
        (await _chain.PostAsync()).Dispose();

        _login.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldNotBe("comp1:invoice:001");
        _chain.Server.Requests.Select(r => r.IdempotencyKey).ShouldBe(["comp1:invoice:001", "comp1:invoice:001"]);
    }

    [Fact]
    public async Task A_safe_call_of_another_client_leaves_the_key_to_the_next()
    {
        Volatile.Write(ref _expired, 0);
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "comp1:invoice:001" });

        (await _chain.Services.GetRequiredService<IHttpClientFactory>().CreateClient("login")
            .GetAsync("keys", TestContext.Current.CancellationToken)).Dispose();
        (await _chain.PostAsync()).Dispose();

        _chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldBe("comp1:invoice:001");
    }

    [Fact]
    public async Task An_inner_scope_for_another_client_leaves_the_outer_one_in_force()
    {
        Volatile.Write(ref _expired, 0);
        using var outer = HttpCallScope.Begin(new() { Tenant = "outer", Tags = { ["job"] = 1 } });
        using var inner = HttpCallScope.Begin(new() { ClientName = "login", Tenant = "inner" });

        (await LoginAsync()).Dispose();
        (await _chain.PostAsync()).Dispose();

        _chain.Logs.Calls.Select(c => (c["ClientName"], c["Tenant"], c["job"])).ShouldBe([("login", "inner", 1), (Chain.Name, "outer", 1)]);
    }

    [Fact]
    public async Task Work_that_was_started_in_a_scope_is_outside_of_it_when_the_scope_has_ended()
    {
        Volatile.Write(ref _expired, 0);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task consuming;
        using (HttpCallScope.Begin(new() { Tenant = "outer" }))
        {
            using (HttpCallScope.Begin(new() { IdempotencyKey = "comp1:invoice:001", Tenant = "comp1" }))
                consuming = PostAfterAsync(ended.Task, count: 2);
        }

        ended.SetResult();
        await consuming;

        string?[] keys = [.. _chain.Server.Requests.Select(r => r.IdempotencyKey)];
        keys.Distinct().Count().ShouldBe(2);
        keys.ShouldNotContain("comp1:invoice:001");
        _chain.Logs.Calls.ShouldAllBe(c => c["Tenant"] == null);
    }

    [Fact]
    public async Task Work_that_outlives_an_inner_scope_keeps_the_outer_one()
    {
        Volatile.Write(ref _expired, 0);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var outer = HttpCallScope.Begin(new() { Tenant = "outer" });
        Task posting;
        using (HttpCallScope.Begin(new() { IdempotencyKey = "comp1:invoice:001", Tenant = "inner" }))
            posting = PostAfterAsync(ended.Task, count: 1);
        ended.SetResult();
        await posting;

        _chain.Logs.Calls.ShouldHaveSingleItem()["Tenant"].ShouldBe("outer");
        _chain.Server.Requests.ShouldHaveSingleItem().IdempotencyKey.ShouldNotBe("comp1:invoice:001");
    }

    [Fact]
    public async Task A_call_that_began_in_a_scope_keeps_its_settings_when_the_scope_ends()
    {
        Volatile.Write(ref _expired, 0);
        _chain.Clock.SkipsWaits = false;
        _chain.Server.Script(Replies.Status(503), Replies.Status(201));
        Task<HttpResponseMessage> sending;
        using (HttpCallScope.Begin(new() { IdempotencyKey = "comp1:invoice:001", Tenant = "comp1" }))
        {
            sending = _chain.PostAsync();
            await _chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        }

        _chain.Clock.Advance(TimeSpan.FromSeconds(1));
        (await sending).Dispose();

        _chain.Server.Requests.Select(r => r.IdempotencyKey).ShouldBe(["comp1:invoice:001", "comp1:invoice:001"]);
    }

    [Fact]
    public async Task Scopes_may_end_in_any_order()
    {
        Volatile.Write(ref _expired, 0);
        var outer = HttpCallScope.Begin(new() { Tenant = "outer" });
        var inner = HttpCallScope.Begin(new() { Tags = { ["row"] = 1 } });

        outer.Dispose();
        (await _chain.PostAsync()).Dispose();
        inner.Dispose();
        outer.Dispose();
        (await _chain.PostAsync()).Dispose();

        _chain.Logs.Calls.Select(c => (c["Tenant"], c["row"])).ShouldBe([(null, 1), (null, null)]);
    }

    public void Dispose()
    {
        _chain.Dispose();
        _login.Dispose();
    }

    private async Task PostAfterAsync(Task ended, int count)
    {
        await ended;
        for (int i = 0; i < count; i++)
            (await _chain.SendAsync(true, Chain.Post(new StringContent($"message {i}")))).Dispose();
    }

    private Task<HttpResponseMessage> LoginAsync() => _chain.Services.GetRequiredService<IHttpClientFactory>().CreateClient("login")
        .PostAsync("token", new StringContent("grant"), TestContext.Current.CancellationToken);

    private sealed class TokenHandler(IServiceProvider services, Func<bool> isExpired) : DelegatingHandler
    {
        private HttpClient Login => services.GetRequiredService<IHttpClientFactory>().CreateClient("login");

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (isExpired())
                (await Login.PostAsync("token", new StringContent("grant"), cancellationToken)).EnsureSuccessStatusCode().Dispose();
            return await base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (isExpired())
            {
                using var token = new HttpRequestMessage(HttpMethod.Post, "token") { Content = new StringContent("grant") };
                Login.Send(token, cancellationToken).EnsureSuccessStatusCode().Dispose();
            }

            return base.Send(request, cancellationToken);
        }
    }

    private sealed class Searching(IServiceProvider services) : IReconciler
    {
        public async ValueTask<HttpResponseMessage?> FindAsync(
            HttpCall call, HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (await services.GetRequiredService<IHttpClientFactory>().CreateClient(Chain.Name).GetAsync("invoices/1", cancellationToken))
                .Dispose();
            return null;
        }
    }
}
