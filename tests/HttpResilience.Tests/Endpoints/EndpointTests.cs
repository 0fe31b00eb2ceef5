using System.Net;
using HttpResilience.Tests.Hedging;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Endpoints;

public sealed class EndpointTests
{
    private const string First = "first.test", Second = "second.test", Third = "third.test";

    private readonly Dictionary<string, Outcome> _hosts = new()
    {
        [First] = Outcome.Status(200),
        [Second] = Outcome.Status(200),
        [Third] = Outcome.Status(200),
    };

    [Theory, InlineData(true), InlineData(false)]
    public async Task Calls_go_to_the_first_endpoint_whatever_the_base_address(bool async)
    {
        using var chain = Create();

        using var response = await chain.GetAsync(async);

        Sent(chain).ShouldBe([First]);
        response.GetHttpCall()!.Endpoint.ShouldBe(new Uri($"https://{First}/"));
        response.RequestMessage!.RequestUri.ShouldBe(new Uri($"https://{First}/invoices/1"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_attempt_after_a_failure_goes_to_the_next_endpoint_without_a_wait(bool async)
    {
        using var chain = Create();
        _hosts[First] = Outcome.Status(503);
        _hosts[Second] = Outcome.Reset();

        using var response = await chain.GetAsync(async);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Sent(chain).ShouldBe([First, Second, Third]);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
        response.GetHttpCall()!.Attempts.Select(a => (int?)a.StatusCode).ShouldBe([503, null, 200]);
    }

    [Fact]
    public async Task When_all_have_failed_the_usual_wait_comes_before_the_next_round()
    {
        using var chain = Create(o => o.Retry.MaxRetryAttempts = 4);
        foreach (string host in _hosts.Keys)
            _hosts[host] = Outcome.Status(503);

        using var response = await chain.GetAsync();

        Sent(chain).ShouldBe([First, Second, Third, First, Second]);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(4 + 8));
    }

    [Fact]
    public async Task Without_retries_a_call_has_one_endpoint()
    {
        using var chain = Create(o => o.Retry.MaxRetryAttempts = 0);
        _hosts[First] = Outcome.Status(503);

        using var response = await chain.GetAsync();

        Sent(chain).ShouldBe([First]);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(409)]
    public async Task An_answer_that_is_not_worth_a_retry_is_not_asked_for_elsewhere(int status)
    {
        using var chain = Create();
        _hosts[First] = Outcome.Status(status);

        using var response = await chain.GetAsync();

        Sent(chain).ShouldBe([First]);
    }

    [Theory]
    [InlineData(429, "30")]
    [InlineData(503, "30")]
    [InlineData(503, "7200")]
    public async Task A_host_that_asks_to_wait_is_left_for_another_one(int status, string retryAfter)
    {
        using var chain = Create();
        _hosts[First] = Outcome.Status(status, headers: ("Retry-After", retryAfter));

        (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        Sent(chain).ShouldBe([First, Second, Second]);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task After_its_pause_the_first_endpoint_is_called_again()
    {
        using var chain = Create();
        _hosts[First] = Outcome.Status(503, retryAfter: TimeSpan.FromSeconds(30));
        (await chain.GetAsync()).Dispose();
        _hosts[First] = Outcome.Status(200);
        chain.Clock.Advance(TimeSpan.FromSeconds(31));

        (await chain.GetAsync()).Dispose();

        Sent(chain)[^1].ShouldBe(First);
    }

    [Theory, InlineData(CircuitMode.Enforce, false), InlineData(CircuitMode.Enforce, true)]
    public async Task A_dead_first_endpoint_costs_no_read_and_one_attempt_for_each_break(CircuitMode mode, bool classic)
    {
        using var chain = Create(o =>
        {
            o.CircuitBreaker.Mode = mode;
            if (classic)
                (o.CircuitBreaker.FailureDuration, o.CircuitBreaker.MaxWait) = (null, null);
        });
        _hosts[First] = Outcome.Refused();

        for (int call = 0; call < 6_000; call++)
        {
            chain.Clock.Advance(TimeSpan.FromMilliseconds(10));
            (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        // Until the circuit opened, and then one for each break: 1, 2, 4, 8 and 10 s.
        var at = chain.Server.Requests.Where(r => r.Uri.Host == First).Select(r => r.SentAt).ToArray();
        var probes = at.Zip(at.Skip(1), (before, after) => after - before).Where(gap => gap > TimeSpan.FromSeconds(0.5)).ToArray();
        probes.Length.ShouldBeGreaterThan(6);
        (at.Length - probes.Length).ShouldBeLessThan(classic ? 7 : 110);
        chain.Server.Requests.Count(r => r.Uri.Host == Third).ShouldBe(0);
    }

    [Fact]
    public async Task A_first_endpoint_that_is_back_gets_the_calls_again()
    {
        using var chain = Create();
        _hosts[First] = Outcome.Refused();
        for (int call = 0; call < 200; call++)
        {
            chain.Clock.Advance(TimeSpan.FromMilliseconds(10));
            (await chain.GetAsync()).Dispose();
        }

        _hosts[First] = Outcome.Status(200);
        chain.Clock.Advance(TimeSpan.FromSeconds(11));
        for (int call = 0; call < 10; call++)
            (await chain.GetAsync()).Dispose();

        Sent(chain).TakeLast(10).ShouldAllBe(host => host == First);
    }

    [Fact]
    public async Task The_failover_of_many_calls_is_not_limited_by_the_budget_of_the_failed_host()
    {
        using var chain = Create(o => (o.CircuitBreaker.BreakDuration, o.Retry.Budget.RetryRatio) = (null, 0.01));
        _hosts[First] = Outcome.Status(503);

        for (int call = 0; call < 500; call++)
            (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_keyed_call_keeps_its_key_at_an_endpoint_that_shares_keys(bool wasSent)
    {
        using var chain = Create();
        _hosts[First] = wasSent ? Outcome.Status(503) : Outcome.Refused();

        (await chain.PostAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        Sent(chain).ShouldBe([First, Second]);
        Keys(chain).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Where_keys_are_not_shared_a_call_that_may_have_been_processed_stays()
    {
        using var chain = Create(o => o.Endpoints.SharesKeys = false);
        _hosts[First] = Outcome.Status(502);

        using var response = await chain.PostAsync();

        Sent(chain).Distinct().ShouldBe([First]);
        Keys(chain).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Where_keys_are_not_shared_a_call_that_was_not_processed_goes_on_with_another_key()
    {
        using var chain = Create(o => o.Endpoints.SharesKeys = false);
        _hosts[First] = Outcome.Refused();

        using var response = await chain.PostAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Sent(chain).ShouldBe([First, Second]);
        Keys(chain).Distinct().Count().ShouldBe(2);
        response.GetHttpCall()!.IdempotencyKey.ShouldBe(Keys(chain)[^1]);
    }

    [Fact]
    public async Task Where_keys_are_not_shared_the_applications_own_key_stays()
    {
        using var chain = Create(o => o.Endpoints.SharesKeys = false);
        _hosts[First] = Outcome.Refused();

        (await chain.SendAsync(true, Chain.Post().WithIdempotencyKey("invoice-1"))).Dispose();

        Keys(chain).ShouldBe(["invoice-1", "invoice-1"]);
    }

    [Fact]
    public async Task Where_keys_are_not_shared_an_idempotent_call_goes_on_elsewhere()
    {
        using var chain = Create(o => o.Endpoints.SharesKeys = false);
        _hosts[First] = Outcome.Status(502);

        (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        Sent(chain).ShouldBe([First, Second]);
    }

    [Fact]
    public async Task An_unkeyed_post_that_may_have_been_processed_is_not_repeated_elsewhere()
    {
        using var chain = Create(o => o.Idempotency.Enabled = false);
        _hosts[First] = Outcome.Status(502);

        using var response = await chain.PostAsync();

        Sent(chain).ShouldBe([First]);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.UnsafeMethod);
    }

    [Fact]
    public async Task The_weights_hold_within_two_percent_over_a_hundred_thousand_calls()
    {
        int[] shares = [70, 29, 1];
        using var chain = Create(o =>
        {
            (o.Endpoints.Mode, o.Endpoints.Weights) = (EndpointMode.Weighted, shares);
            o.Logging.Level = Microsoft.Extensions.Logging.LogLevel.None;
        }, keepsRequests: false);
        const int Calls = 100_000;
        var counts = new Dictionary<string, int>();
        foreach (string host in _hosts.Keys.ToArray())
            _hosts[host] = Outcome.Decide(_ => Count(counts, host));

        for (int call = 0; call < Calls; call++)
            (await chain.GetAsync()).Dispose();

        foreach (var (host, share) in _hosts.Keys.Zip(shares))
        {
            double expected = (double)Calls * share / shares.Sum();
            counts[host].ShouldBeInRange((int)(expected * 0.98) - 1, (int)(expected * 1.02) + 1);
        }
    }

    [Fact]
    public async Task A_weighted_endpoint_that_is_down_leaves_its_calls_to_the_others()
    {
        using var chain = Create(o => (o.Endpoints.Mode, o.Endpoints.Weights) = (EndpointMode.Weighted, [8, 1, 1]));
        _hosts[First] = Outcome.Refused();

        for (int call = 0; call < 1000; call++)
        {
            chain.Clock.Advance(TimeSpan.FromMilliseconds(10));
            (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        int second = Sent(chain).Count(h => h == Second), third = Sent(chain).Count(h => h == Third);
        (second + third).ShouldBe(1000);
        second.ShouldBeInRange(400, 600);
    }

    [Fact]
    public async Task A_hedged_request_goes_to_another_endpoint()
    {
        using var chain = Create(o => o.Hedging.Enabled = true);
        chain.Clock.SkipsWaits = false;
        _hosts[First] = Outcome.NeverAnswers();

        var calling = chain.GetAsync();
        await chain.PassDelayAsync();
        using var response = await calling;

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Sent(chain).ShouldBe([First, Second]);
        response.GetHttpCall()!.Endpoint!.Host.ShouldBe(Second);
        chain.State.Hosts.All.ShouldAllBe(h => h.CircuitState == CircuitState.Closed);
    }

    [Theory]
    [InlineData("POST", false, First)]
    [InlineData("PATCH", false, First)]
    [InlineData("POST", true, Second)]
    [InlineData("PUT", false, Second)]
    public async Task A_hedged_write_goes_only_where_its_key_is_known(string method, bool sharesKeys, string host)
    {
        using var chain = Create(o => (o.Hedging.Enabled, o.Endpoints.SharesKeys) = (true, sharesKeys));
        chain.Clock.SkipsWaits = false;
        int sent = 0;
        _hosts[First] = Outcome.Decide(_ => sent++ == 0 ? Outcome.NeverAnswers() : Outcome.Status(200));

        var calling = chain.SendAsync(true, new(new HttpMethod(method), "invoices") { Content = new StringContent("{}") });
        await chain.PassDelayAsync();
        (await calling).Dispose();

        Sent(chain).ShouldBe([First, host]);
    }

    [Fact]
    public async Task A_hedged_request_may_be_the_probe_of_its_endpoint()
    {
        using var chain = Create(o =>
        {
            (o.Hedging.Enabled, o.Hedging.Delay) = (true, HedgedChain.Delay);
            (o.CircuitBreaker.FailureDuration, o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.MaxWait) = (null, 1, null);
        });
        chain.Clock.SkipsWaits = false;
        var policy = chain.State.Policy.CircuitBreaker!;
        long now = chain.Clock.GetTimestamp();
        var circuit = chain.State.Hosts.GetOrAdd(new(new(new($"https://{Second}")), null), 100, now).Circuit;
        circuit.Report(policy, circuit.Enter(policy, now).Ticket, CircuitOutcome.Failure, now, openAtLeast: 0, now);
        circuit.State.ShouldBe(CircuitState.Open);
        chain.Clock.Advance(TimeSpan.FromSeconds(2));
        _hosts[First] = Outcome.NeverAnswers();

        var calling = chain.GetAsync();
        await chain.PassDelayAsync();
        (await calling).Dispose();

        Sent(chain).ShouldBe([First, Second]);
        circuit.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public async Task After_all_have_failed_the_retry_after_of_the_last_one_does_not_hold_back_the_others()
    {
        using var chain = Create();
        _hosts[First] = Outcome.Status(503);
        _hosts[Second] = Outcome.Status(503);
        _hosts[Third] = Outcome.Decide(_ =>
        {
            _hosts[First] = Outcome.Status(200);
            return Outcome.Status(503, retryAfter: TimeSpan.FromSeconds(60));
        });

        (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        Sent(chain).ShouldBe([First, Second, Third, First]);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task After_all_have_failed_the_open_circuit_of_the_last_one_does_not_end_the_call()
    {
        using var chain = Create(o =>
        {
            (o.CircuitBreaker.FailureDuration, o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.MaxWait) = (null, 2, null);
            o.CircuitBreaker.BreakDuration = o.CircuitBreaker.MaxBreakDuration = TimeSpan.FromMinutes(1);
        });
        foreach (string host in _hosts.Keys.ToArray())
            _hosts[host] = Outcome.Status(503);
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(2))).Dispose();
        _hosts[First] = _hosts[Second] = Outcome.Status(200);
        (await chain.GetAsync()).Dispose();
        chain.State.Hosts.All.Single(h => h.Authority == $"https://{Second}").Circuit.Close(chain.Clock.GetTimestamp());
        _hosts[First] = Outcome.Status(503);
        _hosts[Second] = Outcome.Decide(_ => Outcome.Status(503));
        _hosts[Third] = Outcome.Decide(_ =>
        {
            _hosts[First] = Outcome.Status(200);
            return Outcome.Status(503);
        });

        (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        chain.State.Hosts.All.Single(h => h.Authority == $"https://{Third}").Circuit.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public async Task Each_endpoint_has_a_circuit_of_its_own()
    {
        using var chain = Create(o => (o.CircuitBreaker.FailureDuration, o.CircuitBreaker.FailureThreshold) = (null, 2));
        _hosts[First] = Outcome.Refused();

        (await chain.GetAsync()).Dispose();
        (await chain.GetAsync()).Dispose();
        (await chain.GetAsync()).Dispose();

        chain.State.Hosts.All.ToDictionary(h => h.Authority, h => h.CircuitState).ShouldBe(new Dictionary<string, CircuitState>
        {
            [$"https://{First}"] = CircuitState.Open,
            [$"https://{Second}"] = CircuitState.Closed,
        }, ignoreOrder: true);
        Sent(chain).ShouldBe([First, Second, First, Second, Second]);
    }

    [Fact]
    public async Task A_tenants_circuit_sends_only_the_tenant_elsewhere()
    {
        using var chain = Create(o => (o.CircuitBreaker.FailureDuration, o.CircuitBreaker.FailureThreshold) = (null, 2));
        _hosts[First] = Outcome.Decide(r => r.Uri.Query == "?bad" ? Outcome.Status(503) : Outcome.Status(200));
        for (int call = 0; call < 3; call++)
            (await chain.SendAsync(true, Chain.Get("invoices?bad").WithTenant("a"))).Dispose();

        (await chain.SendAsync(true, Chain.Get().WithTenant("a"))).Dispose();
        (await chain.SendAsync(true, Chain.Get().WithTenant("b"))).Dispose();

        Sent(chain).TakeLast(2).ShouldBe([Second, First]);
    }

    [Fact]
    public async Task When_no_endpoint_is_available_the_call_waits_for_the_one_that_will_be_first()
    {
        using var chain = Create();
        _hosts[First] = Outcome.Status(503, retryAfter: TimeSpan.FromSeconds(20));
        _hosts[Second] = Outcome.Status(503, retryAfter: TimeSpan.FromSeconds(5));
        _hosts[Third] = Outcome.Status(503, retryAfter: TimeSpan.FromSeconds(30));
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(2))).Dispose();
        foreach (string host in _hosts.Keys.ToArray())
            _hosts[host] = Outcome.Status(200);

        using var response = await chain.GetAsync();

        Sent(chain)[^1].ShouldBe(Second);
        chain.Clock.Elapsed.TotalSeconds.ShouldBeInRange(5, 7);
    }

    [Theory]
    [InlineData("https://second.test/b/next?page=2", "https://first.test/a/next?page=2")]
    [InlineData("https://first.test/a/next", "https://first.test/a/next")]
    [InlineData("/elsewhere", "https://first.test/a/elsewhere")]
    public async Task The_address_of_an_endpoint_is_one_of_the_api(string asked, string sent)
    {
        using var chain = Create(o => o.Endpoints.Uris = [$"https://{First}/a/", $"https://{Second}/b/"]);

        using var response = await chain.SendAsync(true, Chain.Get(asked));

        chain.Server.Requests.Single().Uri.ShouldBe(new Uri(sent));
    }

    [Fact]
    public async Task A_route_without_a_circuit_is_sent_past_an_endpoint_whose_circuit_is_open()
    {
        using var chain = Create(o =>
        {
            (o.CircuitBreaker.FailureDuration, o.CircuitBreaker.FailureThreshold) = (null, 1);
            o.Routes["GET /events"] = r => (r.CircuitBreaker.BreakDuration, r.Retry.MaxRetryAttempts) = (null, 0);
        });
        _hosts[First] = Outcome.Refused();
        (await chain.GetAsync()).Dispose();

        (await chain.SendAsync(true, Chain.Get("events"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        Sent(chain)[^1].ShouldBe(Second);
        chain.Logs.Calls[^1].Message.ShouldContain($", via https://{Second}, route GET /events");
    }

    [Fact]
    public async Task A_request_to_any_other_host_goes_where_its_uri_says()
    {
        using var chain = Create();
        _hosts["other.test"] = Outcome.Status(200);

        using var response = await chain.SendAsync(true, Chain.Get("https://other.test/file"));

        Sent(chain).ShouldBe(["other.test"]);
        response.GetHttpCall()!.Endpoint.ShouldBeNull();
    }

    [Fact]
    public async Task The_log_has_the_address_that_the_application_asked_for_and_the_endpoint()
    {
        using var chain = Create();
        _hosts[First] = Outcome.Status(503);

        (await chain.GetAsync()).Dispose();

        var entry = chain.Logs.Call;
        (entry["Authority"], entry["Endpoint"]).ShouldBe(("https://api.test", $"https://{Second}"));
    }

    [Fact]
    public async Task A_redirect_to_another_host_is_not_taken_for_an_endpoint()
    {
        using var chain = Create();
        _hosts[First] = Outcome.Respond(r => new HttpResponseMessage(HttpStatusCode.ServiceUnavailable)
        {
            RequestMessage = new(HttpMethod.Get, "https://elsewhere.test/login"),
        });

        (await chain.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        Sent(chain).ShouldBe([First, Second]);
        chain.State.Hosts.All.Single(h => h.Authority == $"https://{First}").Circuit.State.ShouldBe(CircuitState.Closed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/region/v1/")]
    public async Task A_cached_response_of_one_endpoint_answers_when_all_are_down(string path)
    {
        using var chain = Create(o =>
        {
            o.Fallback.Enabled = true;
            o.Endpoints.Uris[1] = $"https://{Second}{path}";
        });
        (await chain.GetAsync()).Dispose();
        foreach (string host in _hosts.Keys.ToArray())
            _hosts[host] = Outcome.Status(503);

        using var response = await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(1));

        Sent(chain).ShouldBe([First, First, Second]);
        (response.StatusCode, response.GetHttpCall()!.IsStale).ShouldBe((HttpStatusCode.OK, true));
    }

    [Fact]
    public async Task A_dead_letter_keeps_the_uri_of_the_application_and_its_replay_goes_to_an_endpoint()
    {
        var store = new TestStorage();
        using var chain = Create(o => o.DeadLetter.Enabled = true,
            services: s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters).AddDeadLetterReplay());
        foreach (string host in _hosts.Keys.ToArray())
            _hosts[host] = Outcome.Status(503);

        (await chain.PostAsync()).Dispose();

        var letter = store.Letters.ShouldHaveSingleItem();
        letter.Uri.ShouldBe(new Uri("https://api.test/invoices"));
        letter.IdempotencyKey.ShouldBe(Keys(chain)[0]);

        foreach (string host in _hosts.Keys.ToArray())
            _hosts[host] = Outcome.Status(201);
        chain.Clock.Advance(TimeSpan.FromHours(1));
        var worker = chain.Services.GetRequiredService<DeadLetterReplayWorker>();
        await worker.StartAsync(TestContext.Current.CancellationToken);
        while (store.Letters.Single().Status is not DeadLetterStatus.Replayed)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        await worker.StopAsync(new CancellationToken(canceled: true));

        Sent(chain)[^1].ShouldBe(First);
        Keys(chain).Distinct().Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("POST", false, 502, DeadLetterStatus.RequiresReview)]
    [InlineData("PATCH", false, 500, DeadLetterStatus.RequiresReview)]
    [InlineData("PUT", false, 502, DeadLetterStatus.Pending)]
    [InlineData("POST", false, 429, DeadLetterStatus.Pending)]
    [InlineData("POST", true, 502, DeadLetterStatus.Pending)]
    public async Task A_letter_that_may_have_been_processed_is_for_review_where_keys_are_not_shared(
        string method, bool sharesKeys, int answer, DeadLetterStatus status)
    {
        var store = new TestStorage();
        using var chain = Create(o => (o.DeadLetter.Enabled, o.Endpoints.SharesKeys) = (true, sharesKeys),
            services: s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters));
        foreach (string host in _hosts.Keys.ToArray())
            _hosts[host] = Outcome.Status(answer);

        (await chain.SendAsync(true, new(new HttpMethod(method), "invoices") { Content = new StringContent("{}") })).Dispose();

        store.Letters.ShouldHaveSingleItem().Status.ShouldBe(status);
    }

    [Fact]
    public async Task A_reload_changes_the_endpoints_of_the_next_calls()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Endpoints:Uris:0"] = $"https://{First}" });
        chain.Server.Decide(request => _hosts[request.Uri.Host]);
        (await chain.GetAsync()).Dispose();
        chain.Reload(("Endpoints:Uris:0", $"https://{Third}"));
        (await chain.GetAsync()).Dispose();

        Sent(chain).ShouldBe([First, Third]);
    }

    private Chain Create(
        Action<HttpResilienceOptions>? options = null, bool keepsRequests = true, Action<IServiceCollection>? services = null)
    {
        var chain = new Chain(o =>
        {
            o.Endpoints.Uris = [$"https://{First}", $"https://{Second}", $"https://{Third}"];
            options?.Invoke(o);
        }, services: services, keepsRequests: keepsRequests);
        chain.Server.Decide(request => _hosts[request.Uri.Host]);
        return chain;
    }

    private static Outcome Count(Dictionary<string, int> counts, string host)
    {
        counts[host] = counts.GetValueOrDefault(host) + 1;
        return Outcome.Status(200);
    }

    private static string[] Sent(Chain chain) => [.. chain.Server.Requests.Select(r => r.Uri.Host)];

    private static string[] Keys(Chain chain) => [.. chain.Server.Requests.Select(r => r.IdempotencyKey!)];
}
