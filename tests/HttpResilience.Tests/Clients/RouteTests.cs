using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Fallback;
using HttpResilience.Tests.Hedging;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Clients;

/// <summary>Options that differ per method and path, in the chain.</summary>
public sealed class RouteTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("https://api.test/", "exports/17", "/exports/*")]
    [InlineData("https://api.test/", "exports/17?all=true#top", "/exports/*")]
    [InlineData("https://api.test/", "EXPORTS/17", "/exports/*")]
    [InlineData("https://api.test/", "a/../exports/17", "/exports/*")]
    [InlineData("https://api.test/", "a/%2e%2e/exports/17", "/exports/*")]
    [InlineData("https://api.test/", "./exports/17", "/exports/*")]
    [InlineData("https://api.test/", "exports/17/file", null)]
    [InlineData("https://api.test/", "exports//17", null)]
    [InlineData("https://api.test/", "gr%C3%B6%C3%9Fe", "/größe")]
    [InlineData("https://api.test/", "größe", "/größe")]
    [InlineData("https://api.test/", "", "/")]
    [InlineData("https://api.test/v1/", "", "/")]
    [InlineData("https://api.test/v1/", "exports/17", "/exports/*")]
    [InlineData("https://api.test/v1/", "/exports/17", "/exports/*")]
    [InlineData("https://api.test/v1/", "https://api.test/v1/exports/17", "/exports/*")]
    [InlineData("https://api.test/v1/", "https://other.test/exports/17", "/exports/*")]
    [InlineData("https://api.test/v1/", "/v2/exports/17", null)]
    [InlineData("https://api.test/v1/", "reports", "/v1/reports")]
    [InlineData("https://api.test/v1", "reports", null)]
    public async Task The_route_is_found_by_the_address_of_the_request(string baseAddress, string uri, string? route)
    {
        using var chain = new Chain(
            o => o.Routes["/exports/*"] = o.Routes["/größe"] = o.Routes["/"] = o.Routes["/v1/reports"] = _ => { },
            client => client.ConfigureHttpClient(c => c.BaseAddress = new(baseAddress)));
        chain.Server.Script(Replies.Status(200));

        using var response = await chain.SendAsync(true, Chain.Get(uri));

        response.GetHttpCall()!.Route.ShouldBe(route);
        chain.Logs.Call["Route"].ShouldBe(route);
        chain.Logs.Call.Properties.ContainsKey("Route").ShouldBe(route is not null);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_base_address_of_the_options_counts_as_that_of_the_client(bool async)
    {
        using var chain = new Chain(
            o => (o.BaseAddress, o.Routes["/exports"]) = (new("https://api.test/v1"), r => r.Retry.MaxRetryAttempts = 0),
            client => client.ConfigureHttpClient(c => c.BaseAddress = new("https://api.test/v1/")));
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(async, Chain.Get("exports"))).Dispose();

        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_most_specific_route_wins_and_has_nothing_of_the_others(bool async)
    {
        using var chain = new Chain(o =>
        {
            o.Routes["/**"] = r => (r.Retry.MaxRetryAttempts, r.Retry.Delay) = (2, 10 * Second);
            o.Routes["/exports/*"] = r => r.Retry.MaxRetryAttempts = 1;
            o.Routes["POST /exports/*"] = r => r.Retry.MaxRetryAttempts = 0;
        });
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(async, Chain.Get("exports/17"))).Dispose();
        chain.Clock.Elapsed.ShouldBe(Second);
        using var response = await chain.SendAsync(async, new(HttpMethod.Post, "exports/17"));
        (await chain.GetAsync(async)).Dispose();

        response.GetHttpCall()!.Attempts.Count.ShouldBe(1);
        chain.Server.Requests.Count.ShouldBe(2 + 1 + 3);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_settings_of_the_call_are_over_those_of_its_route(bool inScope)
    {
        using var chain = new Chain(o => o.Routes["/slow"] = r =>
        {
            (r.TotalRequestTimeout.Timeout, r.AttemptTimeout.Timeout, r.Retry.MaxRetryAttempts) = (600 * Second, 600 * Second, 5);
        });
        chain.Server.Script(Replies.Stalls());
        var request = Chain.Get("slow");
        if (!inScope)
            request.WithTimeout(300 * Second).WithMaxRetryAttempts(0);

        HttpCallScopeOptions? scope = inScope ? new() { Timeout = 300 * Second, MaxRetryAttempts = 0 } : null;
        using (scope is null ? null : HttpCallScope.Begin(scope))
            await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.SendAsync(true, request));

        chain.Clock.Elapsed.ShouldBe(300 * Second);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(30, null, null, 31)]
    [InlineData(30, 600, null, 601)]
    [InlineData(30, 10, null, 31)]
    [InlineData(30, 600, 900, 901)]
    [InlineData(30, 600, 60, 601)]
    [InlineData(30, -1, null, -1)]
    [InlineData(-1, 30, null, -1)]
    public void The_backstop_is_behind_the_longest_call(int client, int? route, int? max, int expected)
    {
        static TimeSpan? Of(int? seconds) => seconds is > 0 and var s ? s * Second : null;
        using var chain = new Chain(o =>
        {
            (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout, o.MaxTimeout) = (Of(client), null, Of(max));
            if (route is not null)
                o.Routes["/slow"] = r => r.TotalRequestTimeout.Timeout = Of(route);
        });

        chain.Client.Timeout.ShouldBe(expected < 0 ? Timeout.InfiniteTimeSpan : expected * Second);
    }

    [Fact]
    public async Task A_call_may_ask_for_the_time_of_the_longest_route_and_not_for_more()
    {
        using var chain = new Chain(o =>
        {
            (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (30 * Second, null);
            o.Routes["/slow"] = r => r.TotalRequestTimeout.Timeout = 600 * Second;
        });
        chain.Server.Script(Replies.After(500 * Second, Replies.Status(200)));

        (await chain.SendAsync(true, Chain.Get().WithTimeout(600 * Second))).Dispose();
        var thrown = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => chain.SendAsync(true, Chain.Get("slow").WithTimeout(700 * Second)));

        thrown.Message.ShouldContain("MaxTimeout");
    }

    /// <summary>The backstop of a client with a slow route is far behind the deadline of its other calls.</summary>
    [Theory]
    [InlineData("other", 30, "TotalRequestTimeout (00:00:30)")]
    [InlineData("quick", 10, "TotalRequestTimeout (00:00:10)")]
    public async Task A_body_that_stalls_ends_at_the_deadline_of_its_call_and_not_at_that_of_the_slow_route(
        string uri, int seconds, string name)
    {
        using var chain = new Chain(o =>
        {
            (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (30 * Second, null);
            o.Routes["/slow"] = r => r.TotalRequestTimeout.Timeout = 600 * Second;
            o.Routes["/quick"] = r => r.TotalRequestTimeout.Timeout = 10 * Second;
        });
        chain.Server.StalledBody(200, "beg");

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.SendAsync(true, Chain.Get(uri)));

        chain.Clock.Elapsed.ShouldBe(seconds * Second);
        thrown.Message.ShouldContain(name);
        thrown.GetHttpCall()!.ClientName.ShouldBe(Chain.Name);
    }

    [Fact]
    public async Task A_stage_that_only_a_route_has_acts_for_its_calls_only()
    {
        using var chain = HedgedChain.Create(o =>
        {
            o.Hedging.Enabled = false;
            o.Routes["/hedged"] = r => r.Hedging.Enabled = true;
        });
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), Replies.Status(200), HedgedChain.When(first));

        var hedged = chain.SendAsync(true, Chain.Get("hedged"));
        await chain.PassDelayAsync();
        (await hedged).Dispose();
        var other = chain.SendAsync(true, Chain.Get("other"));
        await chain.SentAsync(3);
        chain.Clock.Advance(10 * HedgedChain.Delay);
        first.SetResult(HedgedChain.Status(200));
        (await other).Dispose();

        chain.Server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_stage_that_a_route_switches_off_is_passed_by_its_calls()
    {
        using var chain = new Chain(o => o.Routes["POST /plain"] = r => (r.Idempotency.Enabled, r.Retry.MaxRetryAttempts) = (false, 0));
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(true, new(HttpMethod.Post, "plain"))).Dispose();
        (await chain.SendAsync(true, new HttpRequestMessage(HttpMethod.Post, "other").WithMaxRetryAttempts(0))).Dispose();

        chain.Server.Requests.Select(r => r.IdempotencyKey is null).ShouldBe([true, false]);
    }

    [Fact]
    public async Task A_route_with_limits_has_a_limiter_of_its_own_and_one_without_shares_that_of_the_client()
    {
        static RateLimiterOptions Tokens(int count) => new()
        {
            TokenBucket = new() { TokenLimit = count, TokensPerPeriod = 1, ReplenishmentPeriod = TimeSpan.FromDays(1) },
        };
        using var chain = new Chain(o =>
        {
            o.RateLimiter = Tokens(3);
            o.Routes["/costly"] = r => r.RateLimiter = Tokens(1);
            o.Routes["/dear"] = r => r.RateLimiter = Tokens(1);
            o.Routes["/shared"] = r => r.Retry.MaxRetryAttempts = 0;
            o.Routes["/free"] = r => r.RateLimiter = null;
        });

        // The limits count per host, and a route that shares them counts with the client.
        foreach (string uri in new[] { "costly", "dear", "a", "shared", "b" })
            (await chain.SendAsync(true, Chain.Get(uri))).Dispose();
        foreach (string uri in new[] { "costly", "dear", "shared", "c" })
            await Assert.ThrowsAsync<RateLimitedException>(() => chain.SendAsync(true, Chain.Get(uri)));
        (await chain.SendAsync(true, Chain.Get("free"))).Dispose();

        // A reload that leaves the limits as they are keeps their counts; another route begins anew.
        chain.Reload(("Retry:MaxRetryAttempts", "1"));
        foreach (string uri in new[] { "costly", "dear", "c" })
            await Assert.ThrowsAsync<RateLimitedException>(() => chain.SendAsync(true, Chain.Get(uri)));
    }

    [Fact]
    public async Task A_limiter_that_only_a_route_has_counts_only_its_calls()
    {
        using var chain = new Chain(o => o.Routes["/costly"] = r => r.RateLimiter = new()
        {
            TokenBucket = new() { TokenLimit = 1, TokensPerPeriod = 1, ReplenishmentPeriod = TimeSpan.FromDays(1) },
        });

        (await chain.SendAsync(true, Chain.Get("costly"))).Dispose();
        for (int i = 0; i < 5; i++)
            (await chain.GetAsync()).Dispose();

        await Assert.ThrowsAsync<RateLimitedException>(() => chain.SendAsync(true, Chain.Get("costly")));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_circuit_is_that_of_the_host_whatever_the_route(bool async)
    {
        using var chain = new Chain(o =>
        {
            o.CircuitBreaker.UseClassic().FailureThreshold = 3;
            o.Retry.MaxRetryAttempts = 0;
            o.Routes["/exports/*"] = r => r.TotalRequestTimeout.Timeout = 200 * Second;
            o.Routes["/health"] = r => r.CircuitBreaker.BreakDuration = null;
        });
        chain.Server.Script(Replies.Status(500));
        foreach (string uri in new[] { "exports/1", "a", "exports/2" })
            (await chain.SendAsync(async, Chain.Get(uri))).Dispose();

        await Assert.ThrowsAsync<CircuitOpenException>(() => chain.SendAsync(async, Chain.Get("exports/3")));
        await Assert.ThrowsAsync<CircuitOpenException>(() => chain.GetAsync(async));
        using var past = await chain.SendAsync(async, Chain.Get("health"));

        past.GetHttpCall()!.Attempts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_failures_of_a_route_past_the_circuit_do_not_count_and_no_circuit_waits_for_them()
    {
        using var chain = new Chain(o =>
        {
            (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0);
            o.Routes["/health"] = r => r.CircuitBreaker.BreakDuration = null;
        });
        chain.Server.Script(Replies.Status(500));

        for (int i = 0; i < 5; i++)
            (await chain.SendAsync(true, Chain.Get("health"))).Dispose();

        chain.State.Hosts.All.Single().Circuit.State.ShouldBe(CircuitState.Closed);
        chain.State.HasCircuitBreaker.ShouldBeTrue();
    }

    [Fact]
    public async Task A_pause_of_the_host_holds_for_every_route()
    {
        using var chain = new Chain(o => o.Routes["/quick"] = r => r.TotalRequestTimeout.Timeout = 2 * Second);
        chain.Server.Script(Replies.Status(429, ("Retry-After", "60")), Replies.Status(200));

        // Its deadline does not allow the wait, and the host is paused.
        (await chain.SendAsync(true, Chain.Get("quick"))).Dispose();
        await Assert.ThrowsAsync<RateLimitedException>(() => chain.SendAsync(true, Chain.Get("quick")));
        using var other = await chain.GetAsync();

        chain.Server.Requests[1].SentAfter.ShouldBeGreaterThanOrEqualTo(60 * Second);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_fallback_of_a_route_answers_its_calls_and_forgets_what_a_write_of_no_route_changes(bool invalidates)
    {
        using var chain = new Chain(o =>
        {
            (o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (0, null);
            o.Routes["GET /catalog/*"] = r => r.Fallback.Enabled = true;
        });
        chain.Server.Script(FallbackChain.Good());
        (await chain.SendAsync(true, Chain.Get("catalog/1"))).Dispose();
        (await chain.SendAsync(true, Chain.Get("other/1"))).Dispose();
        if (invalidates)
            (await chain.SendAsync(true, new(HttpMethod.Put, "catalog/1"))).Dispose();
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync(Chain.Get("catalog/1"))).ShouldBe(invalidates ? null : "good");
        (await chain.StaleAsync(Chain.Get("other/1"))).ShouldBeNull();
    }

    [Fact]
    public async Task A_reload_keeps_the_responses_as_long_as_a_route_has_a_fallback()
    {
        var settings = new Dictionary<string, string?>
        {
            ["Routes:GET /catalog/*:Fallback:Enabled"] = "true",
            ["Retry:MaxRetryAttempts"] = "0",
            ["CircuitBreaker:BreakDuration"] = null,
        };
        using var chain = new Chain(settings: settings);
        chain.Server.Script(FallbackChain.Good());
        (await chain.SendAsync(true, Chain.Get("catalog/1"))).Dispose();
        chain.Server.Script(Replies.Status(503));

        chain.Reload(("AttemptTimeout:Timeout", "00:00:20"));
        (await chain.StaleAsync(Chain.Get("catalog/1"))).ShouldBe("good");
        chain.Reload(("Routes:GET /catalog/*:Fallback:Enabled", "false"));
        chain.Reload(("Routes:GET /catalog/*:Fallback:Enabled", "true"));

        (await chain.StaleAsync(Chain.Get("catalog/1"))).ShouldBeNull();
    }

    [Fact]
    public async Task A_response_is_remembered_for_the_calls_of_the_route_only()
    {
        var store = new TestStorage();
        using var chain = new Chain(
            o => o.Routes["POST /payments"] = r => r.Idempotency.RememberFor = TimeSpan.FromDays(1),
            services: s => s.AddSingleton<IIdempotencyStore>(store.IdempotencyKeys));
        chain.Server.Script(Replies.Status(201, "made"));

        foreach (string uri in new[] { "payments", "payments", "other", "other" })
        {
            (await chain.SendAsync(true, new HttpRequestMessage(HttpMethod.Post, uri) { Content = new StringContent("{}") }
                .WithIdempotencyKey(uri))).Dispose();
        }

        chain.Server.Requests.Select(r => r.Uri.AbsolutePath).ShouldBe(["/payments", "/other", "/other"]);
    }

    [Fact]
    public async Task Faults_are_injected_into_the_calls_of_the_route_only_and_one_line_says_so()
    {
        using var chain = new Chain(o => o.Routes["/shaky"] = r =>
        {
            (r.Chaos.Enabled, r.Chaos.Status.InjectionRate, r.Retry.MaxRetryAttempts) = (true, 1, 0);
            (r.Chaos.Latency.InjectionRate, r.Chaos.Fault.InjectionRate) = (0, 0);
        });

        using var shaky = await chain.SendAsync(true, Chain.Get("shaky"));
        using var other = await chain.GetAsync();

        ((int)shaky.StatusCode, (int)other.StatusCode, chain.Server.Requests.Count).ShouldBe((503, 200, 1));
        chain.Logs.WithId(406).ShouldHaveSingleItem().Message.ShouldContain("/shaky: ");
    }

    [Fact]
    public async Task The_log_of_a_call_is_that_of_its_route()
    {
        using var chain = new Chain(o => o.Routes["/health"] = r => r.Logging.Level = Microsoft.Extensions.Logging.LogLevel.Debug);

        (await chain.SendAsync(true, Chain.Get("health"))).Dispose();
        (await chain.GetAsync()).Dispose();

        chain.Logs.WithId(101).Select(e => e.Level.ToString()).ShouldBe(["Debug", "Information"]);
    }

    [Fact]
    public async Task Every_hedged_request_and_every_attempt_is_of_the_route()
    {
        using var chain = new Chain(o => o.Routes["/a"] = r => r.Retry.MaxRetryAttempts = 2);
        chain.Server.Script(Replies.Status(503), Replies.Status(503), Replies.Status(200));

        (await chain.SendAsync(true, Chain.Get("a"))).Dispose();

        chain.Server.Requests.Select(r => r.Call!.Route).ShouldBe(["/a", "/a", "/a"]);
    }

    [Fact]
    public void A_client_without_routes_has_one_policy_and_no_table()
    {
        using var chain = new Chain();
        var policy = chain.State.Policy;

        policy.HasRoutes.ShouldBeFalse();
        policy.For(HttpMethod.Get, new("https://api.test/exports/17"), null).ShouldBeSameAs(policy);
        chain.State.Routes.ShouldBeEmpty();
    }
}
