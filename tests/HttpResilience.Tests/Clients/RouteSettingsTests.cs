using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Clients;

/// <summary>Where the options of routes come from: Defaults, the section of the client, code; their reload; what is in force.</summary>
public sealed class RouteSettingsTests
{
    private const string Total = "TotalRequestTimeout:Timeout";
    private const string Attempt = "AttemptTimeout:Timeout";
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(null, null, null, 3)]
    [InlineData("5", null, null, 5)]
    [InlineData("5", "6", null, 6)]
    [InlineData("5", "6", 7, 7)]
    [InlineData(null, "6", null, 6)]
    [InlineData(null, null, 7, 7)]
    [InlineData("5", null, 7, 7)]
    public void The_nearest_word_about_a_route_holds(string? defaults, string? client, int? code, int expected)
    {
        var settings = new Dictionary<string, string?>();
        if (defaults is not null)
            settings["HttpResilience:Defaults:Routes:/a:Retry:MaxRetryAttempts"] = defaults;
        if (client is not null)
            settings["HttpResilience:Clients:invoices:Routes:/a:Retry:MaxRetryAttempts"] = client;

        using var provider = Provider(settings, code is { } count ? o => o.Routes["/a"] = r => r.Retry.MaxRetryAttempts = count : null);

        RouteOf(provider, "/a").Retry.MaxRetryAttempts.ShouldBe(expected);
    }

    [Fact]
    public void Each_key_is_looked_up_by_itself_and_what_the_route_does_not_say_is_the_clients()
    {
        using var provider = Provider(
            new()
            {
                ["HttpResilience:Defaults:Routes:POST /a/*:Retry:MaxRetryAttempts"] = "5",
                ["HttpResilience:Defaults:Routes:POST /a/*:Retry:BackoffFactor"] = "4",
                ["HttpResilience:Defaults:Routes:POST /a/*:Retry:Statuses:503:DelayMultiplier"] = "2",
                // Another spelling of the same route, and another case.
                ["HttpResilience:Clients:invoices:Routes:post /A/*:Retry:BackoffFactor"] = "3",
                ["HttpResilience:Clients:invoices:Retry:Statuses:404:MaxRetryAttempts"] = "1",
                ["HttpResilience:Clients:invoices:AttemptTimeout:Timeout"] = "00:00:07",
            },
            o =>
            {
                o.Retry.Delay = 9 * Second;
                o.Routes["POST /a/*"] = r => r.Retry.MaxRetryAfter = 8 * Second;
            });

        var route = RouteOf(provider, "/a/1", HttpMethod.Post);
        (route.Retry.MaxRetryAttempts, route.Retry.Backoff.Factor, route.Retry.MaxRetryAfter).ShouldBe((5, 3, 8 * Second));
        (route.AttemptTimeout, route.Retry.Backoff.Delay).ShouldBe((7 * Second, 9 * Second));
        route.Retry.Statuses.Keys.Order().ShouldBe([404, 503]);
        PolicyOf(provider).Retry.Statuses.Keys.ShouldBe([404]);
        PolicyOf(provider).WithRoutes.Count().ShouldBe(2);
    }

    /// <summary>A route says more than a client of all its calls.</summary>
    [Fact]
    public void A_route_of_the_defaults_is_over_what_the_client_and_code_say_of_all_calls()
    {
        using var provider = Provider(
            new()
            {
                ["HttpResilience:Defaults:Routes:/a:Retry:MaxRetryAttempts"] = "5",
                ["HttpResilience:Clients:invoices:Retry:MaxRetryAttempts"] = "6",
            },
            o => o.Retry.MaxRetryAttempts = 7);

        (RouteOf(provider, "/a").Retry.MaxRetryAttempts, PolicyOf(provider).Retry.MaxRetryAttempts).ShouldBe((5, 7));
    }

    [Fact]
    public void A_list_of_a_route_is_replaced_as_a_whole_and_is_not_that_of_the_client()
    {
        using var provider = Provider(
            new()
            {
                ["HttpResilience:Defaults:Idempotency:Methods:0"] = "PUT",
                ["HttpResilience:Defaults:Idempotency:Methods:1"] = "DELETE",
                ["HttpResilience:Clients:invoices:Routes:/a:Idempotency:Methods:0"] = "POST",
            },
            o =>
            {
                o.Routes["/b"] = r => r.Idempotency.Methods.Add("PATCH");
                o.Routes["/c"] = r => r.Retry.Statuses[404] = new();
            });

        RouteOf(provider, "/a").Idempotency!.Methods.ShouldBe(["POST"]);
        RouteOf(provider, "/b").Idempotency!.Methods.Order().ShouldBe(["DELETE", "PATCH", "PUT"]);
        PolicyOf(provider).Idempotency!.Methods.Order().ShouldBe(["DELETE", "PUT"]);
        PolicyOf(provider).Retry.Statuses.ShouldBeEmpty();
    }

    [Fact]
    public void Null_removes_a_route_of_the_defaults_or_all_of_them()
    {
        var settings = new Dictionary<string, string?>
        {
            ["HttpResilience:Defaults:Routes:/a:Retry:MaxRetryAttempts"] = "5",
            ["HttpResilience:Defaults:Routes:/b:Retry:MaxRetryAttempts"] = "5",
        };
        using var one = Provider(new(settings) { ["HttpResilience:Clients:invoices:Routes:/A/"] = null });
        using var all = Provider(new(settings) { ["HttpResilience:Clients:invoices:Routes"] = null });

        PolicyOf(one).WithRoutes.Select(p => p.Route).ShouldBe([null, "/b"]);
        PolicyOf(all).WithRoutes.Select(p => p.Route).ShouldBe([null]);
        one.GetRequiredKeyedService<Client>("invoices").Options.Notes.ShouldBeEmpty();
        all.GetRequiredKeyedService<Client>("invoices").Options.Notes.ShouldHaveSingleItem().ShouldBe(
            "HttpResilience:Clients:invoices:Routes is null or empty, and the routes of HttpResilience:Defaults do not hold for the "
            + "client");
    }

    [Fact]
    public void A_section_of_the_application_is_over_that_of_the_client()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["HttpResilience:Clients:invoices:Routes:/a:Retry:MaxRetryAttempts"] = "5",
            ["Partner:Routes:/a:Retry:MaxRetryAttempts"] = "6",
            ["Partner:Routes:/a:Retry:Delayy"] = "6",
        }).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration);
        services.AddHttpClient("invoices").AddResilience(configuration.GetSection("Partner"));
        using var provider = services.BuildServiceProvider();

        var thrown = Assert.Throws<OptionsValidationException>(() => PolicyOf(provider));
        configuration["Partner:Routes:/a:Retry:Delayy"] = null;

        thrown.Failures.ShouldBe(["Partner:Routes:/a:Retry:Delayy is not a known key; did you mean Partner:Routes:/a:Retry:Delay?"]);
    }

    [Fact]
    public void All_failures_of_routes_come_at_once_each_once_with_its_path()
    {
        using var provider = Provider(
            new()
            {
                ["HttpResilience:Clients:invoices:Retry:MaxRetryAttempts"] = "-1",
                ["HttpResilience:Defaults:Routes:/a:Retry:Delay"] = "-00:00:01",
                ["HttpResilience:Clients:invoices:Routes:/a:Retry:BackoffFactor"] = "11",
                ["HttpResilience:Clients:invoices:Routes:/a:AttemptTimeout:Timeout"] = "00:00:20",
                ["HttpResilience:Clients:invoices:Routes:/a:TotalRequestTimeout:Timeout"] = "00:00:10",
                ["HttpResilience:Clients:invoices:Routes:/b:DeadLetter:Enabled"] = "true",
                ["HttpResilience:Clients:invoices:Routes:/b:Idempotency:RememberFor"] = "1.00:00:00",
                ["HttpResilience:Clients:invoices:Routes:c:Retry:Delay"] = "soon",
            },
            o =>
            {
                o.Routes["/d"] = r =>
                {
                    (r.BaseAddress, r.MaxTimeout, r.CircuitBreaker.MaxCircuits) = (new("https://other.test/"), Second, 5);
                    (r.CircuitBreaker.BreakDuration, r.Retry.Budget.RetryRatio) = (7 * Second, 0.5);
                    (r.Hedging.MaxHedgedAttempts, r.ErrorBudget.Objective) = (0, 0.9);
                    r.Routes["/e"] = _ => { };
                };
                o.Routes["/a"] = r => r.Retry.MaxRetryAfter = -Second;
                o.Routes["e e"] = _ => { };
                o.Routes["/f"] = null!;
                o.Routes["/g"] = r => (r.CircuitBreaker.BreakDuration, r.Retry.Budget.RetryRatio) = (null, null);
            });

        const string At = "HttpResilience:Clients:invoices:";
        const string Form = " is not a route; it must be a method, or none for all, and a path, such as 'POST /exports/*', in which * "
            + "stands for one segment, and ** at the end for all that follow.";
        const string Circuit = "the circuit of a host is one for all calls";
        const string Storage = "which needs durable storage; add ";
        var problems = Assert.Throws<OptionsValidationException>(() => PolicyOf(provider)).Failures.ToList();

        problems.Where(p => p.Contains(Storage)).Select(p => p.Split(Storage)[0]).ShouldBe(
            [$"{At}Routes:/b:DeadLetter:Enabled is 'True', ", $"{At}Routes:/b:Idempotency:RememberFor is '1.00:00:00', "],
            ignoreOrder: true);
        problems.Where(p => !p.Contains(Storage)).ShouldBe(
            [
                $"{At}Retry:MaxRetryAttempts is '-1'; it must be an integer of 0 or more.",
                "HttpResilience:Defaults:Routes:/a:Retry:Delay is '-00:00:01'; it must be a duration (d.hh:mm:ss.fff) from 00:00:00 to "
                    + "1.00:00:00.",
                $"{At}Routes:/a:Retry:BackoffFactor is '11'; it must be a number from 1 to 10.",
                $"{At}Routes:/a:Retry:MaxRetryAfter is '-00:00:01'; it must be a duration (d.hh:mm:ss.fff) from 00:00:00 to 1.00:00:00.",
                $"{At}Routes:/a:AttemptTimeout:Timeout is '00:00:20'; it must not be longer than "
                    + $"{At}Routes:/a:TotalRequestTimeout:Timeout, which is '00:00:10'. Leave it out to have attempts end with the total.",
                $"{At}Routes:c{Form} Write '/c'.",
                $"{At}Routes:/d:BaseAddress cannot differ per route: the route is chosen by the address of the request. Set "
                    + $"{At}BaseAddress.",
                $"{At}Routes:/d:MaxTimeout cannot differ per route: HttpClient.Timeout follows from it, which is one for all calls. Set "
                    + $"{At}MaxTimeout.",
                $"{At}Routes:/d:CircuitBreaker:MaxCircuits cannot differ per route: the state of hosts is one for all calls. Set "
                    + $"{At}CircuitBreaker:MaxCircuits.",
                $"{At}Routes:/d:CircuitBreaker:BreakDuration can only be null in a route, which takes the calls of the route past the "
                    + $"circuit: {Circuit}. Set {At}CircuitBreaker:BreakDuration.",
                $"{At}Routes:/d:Retry:Budget:RetryRatio can only be null in a route, which does not count the calls of the route: the "
                    + $"retry budget of a host is one for all calls. Set {At}Retry:Budget:RetryRatio.",
                $"{At}Routes:/d:ErrorBudget:Objective cannot differ per route: the error budget counts all calls. Set "
                    + $"{At}ErrorBudget:Objective.",
                $"{At}Routes:/d:Hedging:MaxHedgedAttempts is '0'; it must be an integer from 1 to 10.",
                $"{At}Routes:/d:Routes cannot differ per route: a route has no routes of its own.",
                $"{At}Routes:e e{Form} Write 'e /e'.",
                $"{At}Routes:/f is null; it must be a delegate that sets the options of the route.",
            ],
            ignoreOrder: true);
    }

    [Fact]
    public async Task A_reload_adds_changes_and_removes_a_route_for_the_next_call_and_a_running_one_keeps_its_own()
    {
        var file = new File();
        file.Write(("/a", 1));
        using var chain = new Chain(services: s => s.AddSingleton<IConfiguration>(new ConfigurationBuilder().Add(file).Build()));
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(500));
        var running = chain.SendAsync(true, Chain.Get("a"));
        await chain.Clock.TimerDueInAsync(Second);

        file.Write(("/a", 2), ("/b", 0));
        chain.Clock.SkipsWaits = true;
        chain.Clock.Advance(Second);
        using var before = await running;
        using var changed = await chain.SendAsync(true, Chain.Get("a"));
        using var added = await chain.SendAsync(true, Chain.Get("b"));
        file.Write(("/b", 0));
        using var removed = await chain.SendAsync(true, Chain.Get("a"));

        new[] { before, changed, added, removed }.Select(r => (r.GetHttpCall()!.Attempts.Count, r.GetHttpCall()!.Route)).ShouldBe(
            [(2, "/a"), (3, "/a"), (1, "/b"), (4, null)]);
    }

    [Fact]
    public async Task A_bad_reload_of_a_route_changes_nothing_and_says_why()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Routes:/a:Retry:MaxRetryAttempts"] = "0" });
        chain.Server.Script(Replies.Status(500));
        var good = chain.State.Policy;

        chain.Reload(("Routes:/a:Retry:MaxRetryAttempts", "2"), ("Routes:a:Retry:MaxRetryAttempts", "2"));
        (await chain.SendAsync(true, Chain.Get("a"))).Dispose();

        (chain.State.Policy, chain.Server.Requests.Count).ShouldBe((good, 1));
        chain.Logs.WithId(403).ShouldHaveSingleItem().Message.ShouldContain("Routes:a is not a route");
    }

    [Fact]
    public void The_routes_in_force_and_what_differs_in_them_are_listed_and_logged()
    {
        using var chain = new Chain(
            o => o.Routes["GET /poll"] = r => (r.Retry.MaxRetryAttempts, r.RateLimiter) = (0, null),
            settings: new Dictionary<string, string?>
            {
                ["RateLimiter:DefaultRateLimiterOptions:PermitLimit"] = "5",
                ["Routes:POST /exports/*:TotalRequestTimeout:Timeout"] = "00:10:00",
                ["Routes:POST /exports/*:AttemptTimeout:Timeout"] = null,
                // The same as the client's.
                ["Routes:POST /exports/*:Retry:MaxRetryAttempts"] = "3",
            });

        var routes = chain.Services.GetRequiredService<IResilientClients>().Find(Chain.Name)!.Routes;

        routes.Keys.ShouldBe(["POST /exports/*", "GET /poll"]);
        routes["POST /exports/*"].ShouldBe(new Dictionary<string, object?> { [Total] = 600 * Second, [Attempt] = null }, ignoreOrder: true);
        routes["GET /poll"].Keys.Order().ShouldBe(
            [
                "RateLimiter:DefaultRateLimiterOptions:PermitLimit", "RateLimiter:DefaultRateLimiterOptions:QueueLimit",
                "RateLimiter:DefaultRateLimiterOptions:QueueProcessingOrder", "RateLimiter:Mode", "Retry:MaxRetryAttempts",
            ]);
        chain.Logs.WithId(419).Select(e => e.Message).ShouldContain(
            "api: route POST /exports/*: TotalRequestTimeout:Timeout 00:10:00, AttemptTimeout:Timeout null");
        chain.Reload(("Routes:POST /exports/*:TotalRequestTimeout:Timeout", "00:20:00"));
        chain.State.Routes["POST /exports/*"][Total].ShouldBe(1200 * Second);
    }

    [Theory]
    [InlineData("/a", "TotalRequestTimeout:Timeout", "00:10:00", null, null,
        "HttpResilience:Clients:api:Routes:/a:TotalRequestTimeout:Timeout is '00:10:00', and one attempt still ends after '00:00:30'; to "
        + "change or confirm that, set HttpResilience:Clients:api:Routes:/a:AttemptTimeout:Timeout")]
    [InlineData("/a", "TotalRequestTimeout:Timeout", "00:10:00", "AttemptTimeout:Timeout", "00:00:30", null)]
    [InlineData("/a", "TotalRequestTimeout:Timeout", "00:00:50", null, null, null)]
    [InlineData("/a", "AttemptTimeout:Timeout", "00:10:00", null, null,
        "HttpResilience:Clients:api:Routes:/a:AttemptTimeout:Timeout (00:10:00): no effect while "
        + "HttpResilience:Clients:api:TotalRequestTimeout:Timeout is '00:01:40'")]
    [InlineData("/a", "Hedging:Delay", "00:00:02", null, null,
        "HttpResilience:Clients:api:Routes:/a:Hedging:Delay (00:00:02): no effect while HttpResilience:Clients:api:Hedging:Enabled is "
        + "'False'")]
    [InlineData("/a", "Hedging:Delay", "00:00:02", "Hedging:Enabled", "true", null)]
    [InlineData("post /a", "Retry:MaxRetryAttempts", "1", null, null,
        "HttpResilience:Clients:api:Routes:post /a: methods are written in upper case (RFC 9110 §9.1); read as POST")]
    [InlineData("PSOT /a", "Retry:MaxRetryAttempts", "1", null, null,
        "HttpResilience:Clients:api:Routes:PSOT /a: the method is 'PSOT', which is no registered HTTP method; did you mean POST?")]
    [InlineData("/a", "Idempotency:Methods:0", "PSOT", null, null,
        "HttpResilience:Clients:api:Routes:/a:Idempotency:Methods:0 is 'PSOT', which is no registered HTTP method; did you mean POST?")]
    public void What_is_odd_in_a_route_is_one_warning(
        string route, string key, string? value, string? other, string? otherValue, string? warning)
    {
        var settings = new Dictionary<string, string?>
        {
            // Of the client itself, and warned of once.
            ["Fallback:StaleIfError"] = "00:10:00",
            [$"Routes:{route}:{key}"] = value,
        };
        if (other is not null)
            settings[$"Routes:{route}:{other}"] = otherValue;
        using var chain = new Chain(settings: settings);

        _ = chain.State;

        string[] expected = warning is null ? [] : [$"api: {warning}"];
        chain.Logs.WithId(416).Select(e => e.Message).ShouldBe(
            [.. expected, "api: HttpResilience:Clients:api:Fallback:StaleIfError (00:10:00): no effect while "
                + "HttpResilience:Clients:api:Fallback:Enabled is 'False'"],
            ignoreOrder: true);
    }

    [Fact]
    public void Code_of_a_route_runs_once_for_each_reading_and_an_exception_of_it_keeps_the_last_policy()
    {
        int runs = 0;
        using var chain = new Chain(o => o.Routes["/a"] = _ =>
        {
            if (runs++ > 0)
                throw new InvalidOperationException("no such environment");
        });
        var good = chain.State.Policy;

        runs.ShouldBe(1);
        chain.Reload();

        (runs, chain.State.Policy).ShouldBe((2, good));
        chain.Logs.WithId(403).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Error);
    }

    private static ServiceProvider Provider(Dictionary<string, string?> settings, Action<HttpResilienceOptions>? configure = null) =>
        new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddResilientHttpClient("invoices", configure).Services.BuildServiceProvider();

    private static ResiliencePolicy PolicyOf(IServiceProvider provider) => provider.GetRequiredKeyedService<Client>("invoices").Policy;

    private static ResiliencePolicy RouteOf(IServiceProvider provider, string path, HttpMethod? method = null) =>
        PolicyOf(provider).For(method ?? HttpMethod.Get, new($"https://api.test{path}"), null);

    /// <summary>A source that forgets keys, as a file does, and one in memory does not.</summary>
    private sealed class File : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        internal void Write(params (string Route, int Attempts)[] routes)
        {
            Data = routes.ToDictionary(
                r => $"HttpResilience:Clients:api:Routes:{r.Route}:Retry:MaxRetryAttempts", r => (string?)$"{r.Attempts}",
                StringComparer.OrdinalIgnoreCase);
            Data["HttpResilience:Defaults:Retry:UseJitter"] = "false";
            OnReload();
        }
    }
}
