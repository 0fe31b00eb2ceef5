using System.Diagnostics.Metrics;
using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Telemetry;

/// <summary>What is measured of calls, with a real <see cref="MeterListener"/>.</summary>
public sealed class CallMetricsTests
{
    private const string Host = "http.resilience.client=api, server.address=api.test, server.port=443";

    [Fact]
    public void The_instruments_have_the_names_units_and_buckets_that_dashboards_rely_on()
    {
        using var chain = new Chain(services: s => s.AddHttpResilienceOperations());
        _ = chain.State;
        using var metrics = new MeasurementCollector(chain.Services);

        metrics.Instruments.Select(i => $"{i.Name} {i.GetType().Name} [{i.Unit}]").ShouldBe(
        [
            "http.client.resilience.call.duration Histogram`1 [s]",
            "http.client.resilience.attempts Histogram`1 [{attempt}]",
            "http.client.resilience.retries Counter`1 [{retry}]",
            "http.client.resilience.circuit.transitions Counter`1 [{transition}]",
            "http.client.resilience.pauses Counter`1 [{pause}]",
            "http.client.resilience.remembered_calls.lost Counter`1 [{call}]",
            "http.client.resilience.fallbacks Counter`1 [{call}]",
            "http.client.resilience.observed Counter`1 [{attempt}]",
            "http.client.resilience.concurrency.limit ObservableGauge`1 [{attempt}]",
            "http.client.resilience.concurrency.waiting ObservableGauge`1 [{attempt}]",
            "http.client.resilience.circuit.state ObservableGauge`1 []",
            "http.client.resilience.error_budget.remaining ObservableGauge`1 [1]",
            "http.client.resilience.error_budget.burn_rate ObservableGauge`1 [1]",
        ], ignoreOrder: true);
        metrics.Instruments.ShouldAllBe(
            i => i.Meter.Name == "HttpResilience" && i.Meter.Version == "0.1.0" && !string.IsNullOrEmpty(i.Description));
        metrics.Instruments.OfType<Histogram<double>>().ShouldHaveSingleItem().Advice!.HistogramBucketBoundaries
            .ShouldBe([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]);
        metrics.Instruments.OfType<Histogram<int>>()
            .ShouldHaveSingleItem().Advice!.HistogramBucketBoundaries.ShouldBe([0, 1, 2, 3, 4, 5, 10]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_is_measured_once_with_all_its_attempts_and_waits(bool async)
    {
        using var chain = new Chain();
        using var metrics = Listen(chain);
        chain.Server.Script(
            Replies.Status(503), Replies.ConnectionRefused(), Replies.After(TimeSpan.FromMilliseconds(500), Replies.Status(201)));

        (await chain.PostAsync(async)).Dispose();

        var duration = metrics.Of("call.duration").ShouldHaveSingleItem();
        duration.Value.ShouldBe(3.5);
        duration.Text.ShouldBe($"{Host}, http.request.method=POST, http.response.status_code=201, http.resilience.stop_reason=Succeeded");
        var attempts = metrics.Of("attempts").ShouldHaveSingleItem();
        (attempts.Value, attempts.Text).ShouldBe((3, duration.Text));
        metrics.Of("retries").Select(r => (r.Value, r.Text)).ShouldBe(
        [
            (1, $"{Host}, http.request.method=POST, error.type=503"), (1, $"{Host}, http.request.method=POST, error.type=connection_error"),
        ]);
    }

    public static TheoryData<string, int, string> Failures => new()
    {
        { "404", 1, "http.response.status_code=404, error.type=404, http.resilience.stop_reason=NotRetryable" },
        { "503", 4, "http.response.status_code=503, error.type=503, http.resilience.stop_reason=AttemptsExhausted" },
        { "refused", 4, "error.type=connection_error, http.resilience.stop_reason=AttemptsExhausted" },
        { "reset", 4, "error.type=System.Net.Http.HttpRequestException, http.resilience.stop_reason=AttemptsExhausted" },
        { "stalls", 3, "error.type=timeout, http.resilience.stop_reason=DeadlinePassed" },
        { "throws", 1, "error.type=System.InvalidOperationException, http.resilience.stop_reason=NotRetryable" },
    };

    [Theory, MemberData(nameof(Failures))]
    public async Task A_failure_tells_what_kind_it_was_and_why_it_was_the_last(string reply, int attempts, string tags)
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(90));
        using var metrics = Listen(chain);
        chain.Server.Script(reply switch
        {
            "refused" => Replies.ConnectionRefused(),
            "reset" => Replies.Reset(),
            "stalls" => Replies.Stalls(),
            "throws" => Replies.Throws(() => new InvalidOperationException("no")),
            _ => Replies.Status(int.Parse(reply, null)),
        });

        _ = await Record.ExceptionAsync(async () => (await chain.GetAsync()).Dispose());

        var measured = metrics.Of("attempts").ShouldHaveSingleItem();
        (measured.Value, measured.Text).ShouldBe((attempts, $"{Host}, http.request.method=GET, {tags}"));
        metrics.Of("call.duration").ShouldHaveSingleItem().Text.ShouldBe(measured.Text);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_an_open_circuit_refuses_is_measured_with_no_attempt(bool async)
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));
        using var metrics = Listen(chain);
        chain.Server.Script(Replies.Status(503));
        (await chain.GetAsync(async)).Dispose();

        await Assert.ThrowsAsync<CircuitOpenException>(() => chain.GetAsync(async));

        var refused = metrics.Of("attempts")[^1];
        (refused.Value, refused.Text).ShouldBe(
            (0, $"{Host}, http.request.method=GET, error.type=HttpResilience.CircuitOpenException, "
                + $"http.resilience.stop_reason=CircuitOpen"));
        metrics.Of("call.duration").Count.ShouldBe(2);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_a_pause_refuses_is_measured_with_no_attempt(bool async)
    {
        using var chain = new Chain(o => (o.Retry.MaxRetryAttempts, o.Retry.MaxRetryAfter) = (0, TimeSpan.FromHours(1)));
        using var metrics = Listen(chain);
        chain.Server.Script(Replies.Status(429, ("Retry-After", "600")));
        (await chain.GetAsync(async)).Dispose();

        await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync(async));

        var refused = metrics.Of("attempts")[^1];
        (refused.Value, refused.Text).ShouldBe(
            (0, $"{Host}, http.request.method=GET, error.type=HttpResilience.RateLimitedException, "
                + $"http.resilience.stop_reason=RateLimited"));
    }

    [Fact]
    public async Task A_call_that_its_caller_left_tells_so()
    {
        using var chain = new Chain();
        using var metrics = Listen(chain);
        using var caller = new CancellationTokenSource();
        chain.Server.Script((_, _, token) =>
        {
            caller.Cancel();
            return Task.FromException<HttpResponseMessage>(new TaskCanceledException("left", null, token));
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(async: true, Chain.Get(), caller.Token));

        var measured = metrics.Of("call.duration").ShouldHaveSingleItem();
        (measured["error.type"], measured["http.resilience.stop_reason"]).ShouldBe(
            ("System.Threading.Tasks.TaskCanceledException", "Cancelled"));
    }

    [Fact]
    public async Task A_redirected_call_is_measured_as_what_the_application_asked_for()
    {
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new Elsewhere()));
        using var metrics = Listen(chain);
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.PostAsync()).Dispose();

        metrics.All.ShouldAllBe(m => m.Text.StartsWith($"{Host}, http.request.method=POST", StringComparison.Ordinal));
        metrics.All.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Nothing_that_callers_can_make_up_without_end_becomes_a_tag()
    {
        using var chain = new Chain(o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);
        using var metrics = Listen(chain);
        chain.Server.Script(Replies.Status(503, ("Retry-After", "1")), Replies.Status(404));

        for (int i = 0; i < 20; i++)
        {
            var request = new HttpRequestMessage(new HttpMethod($"BREW{i}"), $"invoices/unheard-of-{i}?secret=unheard-of")
                .WithTenant($"unheard-of-{i}").WithIdempotencyKey($"unheard-of-{i}").WithTag("unheard-of", $"unheard-of-{i}");
            _ = await Record.ExceptionAsync(async () => (await chain.SendAsync(async: true, request)).Dispose());
        }

        metrics.Observe("circuit.state").ShouldHaveSingleItem();
        metrics.All.ShouldNotBeEmpty();
        metrics.All.ShouldAllBe(m => !m.Text.Contains("unheard-of") && !m.Text.Contains("BREW"));
        metrics.Of("attempts").ShouldAllBe(m => (string)m["http.request.method"]! == "_OTHER");
        metrics.All.SelectMany(m => m.Tags).Select(t => t.Key).Distinct().ShouldBeSubsetOf(
        [
            "http.resilience.client", "server.address", "server.port", "http.request.method", "http.response.status_code", "error.type",
            "http.resilience.stop_reason", "http.resilience.circuit.state", "http.resilience.circuit.scope", "http.resilience.window",
        ]);
    }

    [Fact]
    public void Without_a_factory_the_meter_is_its_own()
    {
        using var meter = new ResilienceMeter(new(new ServiceCollection().BuildServiceProvider()));
        var heard = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter is { Name: ResilienceMeter.Name, Scope: null })
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, _, _) => heard.Add(instrument.Name));
        listener.Start();

        meter.Paused("api", new HostKey(new(new("https://api.test")), null), 429);

        heard.ShouldBe(["http.client.resilience.pauses"]);
    }

    private static MeasurementCollector Listen(Chain chain)
    {
        _ = chain.Client;
        return new(chain.Services);
    }

    private sealed class Elsewhere : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (request.Method, request.RequestUri) = (HttpMethod.Get, new("https://elsewhere.test/"));
            return base.SendAsync(request, cancellationToken);
        }
    }
}
