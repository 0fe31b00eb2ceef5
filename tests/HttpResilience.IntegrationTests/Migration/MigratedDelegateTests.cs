extern alias pollycore;

using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Polly;
using Outcome = HttpResilience.Testing.Outcome;
using TimeoutRejectedException = pollycore::Polly.Timeout.TimeoutRejectedException;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>The delegates of a standard handler are called by the chain that has taken its place.</summary>
public sealed class MigratedDelegateTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new() { SkipsWaits = true };
    private readonly LogCollector _log = new();
    private readonly FaultScript _script;
    private ServiceProvider? _services;

    public MigratedDelegateTests() => _script = new(_time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ShouldHandle_says_what_is_repeated()
    {
        _script.Status(404).Status(404).Status(200);
        var client = Standard(o => o.Retry.ShouldHandle = args => new(args.Outcome.Result?.StatusCode is HttpStatusCode.NotFound));

        using var response = await client.GetAsync("/", Cancelled);

        (response.StatusCode, _script.RequestCount).ShouldBe((HttpStatusCode.OK, 3));
    }

    [Fact]
    public async Task What_ShouldHandle_refuses_is_not_repeated()
    {
        _script.Status(503);
        var client = Standard(o => o.Retry.ShouldHandle = args => new(args.Outcome.Result?.StatusCode is HttpStatusCode.NotFound));

        using var response = await client.GetAsync("/", Cancelled);

        (response.StatusCode, _script.RequestCount).ShouldBe((HttpStatusCode.ServiceUnavailable, 1));
    }

    [Fact]
    public async Task A_success_that_ShouldHandle_wants_is_repeated()
    {
        _script.Status(200, headers: ("X-Pending", "1")).Status(200);
        var client = Standard(o => o.Retry.ShouldHandle = args => new(args.Outcome.Result?.Headers.Contains("X-Pending") is true));

        using var response = await client.GetAsync("/", Cancelled);

        (response.Headers.Contains("X-Pending"), _script.RequestCount).ShouldBe((false, 2));
    }

    [Fact]
    public async Task ShouldHandle_is_asked_with_the_context_the_request_and_the_number_of_the_attempt()
    {
        List<(string? Path, int Attempt)> asked = [];
        _script.Status(503).Reset().Status(200);
        var client = Standard(o => o.Retry.ShouldHandle = async args =>
        {
            await Task.Yield();
            asked.Add((args.Context.GetRequestMessage()?.RequestUri?.AbsolutePath, args.AttemptNumber));
            return HttpClientResiliencePredicates.IsTransient(args.Outcome);
        });

        (await client.GetAsync("/orders", Cancelled)).Dispose();

        asked.ShouldBe([("/orders", 0), ("/orders", 1), ("/orders", 2)]);
    }

    [Fact]
    public async Task A_timeout_of_an_attempt_is_the_exception_that_ShouldHandle_knew()
    {
        List<Exception?> seen = [];
        _script.NeverAnswers().Status(200);
        var client = Standard(o => o.Retry.ShouldHandle = args =>
        {
            seen.Add(args.Outcome.Exception);
            return new(args.Outcome.Exception is TimeoutRejectedException { Timeout.Seconds: 10 });
        });

        using var response = await client.GetAsync("/", Cancelled);

        (response.StatusCode, _script.RequestCount).ShouldBe((HttpStatusCode.OK, 2));
        seen[0].ShouldBeOfType<TimeoutRejectedException>().InnerException.ShouldBeAssignableTo<OperationCanceledException>();
    }

    [Theory, InlineData("GET", 4), InlineData("POST", 1), InlineData("PUT", 1)]
    public async Task DisableForUnsafeHttpMethods_holds_also_with_a_key(string method, int requests)
    {
        _script.Status(503);
        var client = Standard(o => o.Retry.DisableForUnsafeHttpMethods());

        (await client.SendAsync(new(new(method), "/"), Cancelled)).Dispose();

        _script.RequestCount.ShouldBe(requests);
    }

    [Fact]
    public async Task DisableFor_holds_for_its_methods_only()
    {
        _script.Status(503);
        var client = Standard(o => o.Retry.DisableFor(HttpMethod.Delete));

        (await client.DeleteAsync("/", Cancelled)).Dispose();
        _script.RequestCount.ShouldBe(1);
        (await client.GetAsync("/", Cancelled)).Dispose();
        _script.RequestCount.ShouldBe(5);
    }

    [Fact]
    public async Task DelayGenerator_says_how_long_a_call_waits_and_null_leaves_the_backoff()
    {
        _script.Status(503).Status(503).Status(503).Status(200);
        var client = Standard(o =>
        {
            (o.Retry.UseJitter, o.TotalRequestTimeout.Timeout) = (false, TimeSpan.FromMinutes(5));
            o.Retry.DelayGenerator = args => new(args.AttemptNumber == 1 ? null : TimeSpan.FromSeconds(7 + args.AttemptNumber));
        });

        (await client.GetAsync("/", Cancelled)).Dispose();

        WaitsOf(_script).ShouldBe([7, 4, 9]);
    }

    [Fact]
    public async Task A_longer_Retry_After_counts_beside_DelayGenerator()
    {
        _script.Status(503, retryAfter: TimeSpan.FromSeconds(3)).Status(503, retryAfter: TimeSpan.FromSeconds(1)).Status(200);
        var client = Standard(o => (o.Retry.UseJitter, o.Retry.DelayGenerator) = (false, _ => new(TimeSpan.FromSeconds(2))));

        (await client.GetAsync("/", Cancelled)).Dispose();

        WaitsOf(_script).ShouldBe([3, 2]);
    }

    [Fact]
    public async Task OnRetry_is_told_before_the_wait_with_the_open_response()
    {
        List<(int Attempt, double Delay, string Body, TimeSpan At)> told = [];
        _script.Status(503, "busy").Status(503, "still busy").Status(200);
        var client = Standard(o =>
        {
            o.Retry.UseJitter = false;
            o.Retry.OnRetry = async args => told.Add((args.AttemptNumber, args.RetryDelay.TotalSeconds,
                await args.Outcome.Result!.Content.ReadAsStringAsync(Cancelled), _time.Elapsed));
        });

        (await client.GetAsync("/", Cancelled)).Dispose();

        told.ShouldBe([(0, 2, "busy", TimeSpan.Zero), (1, 4, "still busy", TimeSpan.FromSeconds(2))]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_exception_of_OnRetry_is_logged_and_the_call_goes_on(bool isSync)
    {
        _script.Status(503).Status(200);
        var client = Standard(o => o.Retry.OnRetry = async _ =>
        {
            await Task.Yield();
            throw new InvalidOperationException("mine");
        });

        using var response = isSync
            ? client.Send(new(HttpMethod.Get, "/"), Cancelled) : await client.GetAsync("/", Cancelled);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        _log.Lines.ShouldContain(l => l.EventId == 413 && l.Level == LogLevel.Error);
    }

    [Fact]
    public async Task TimeoutGenerator_of_the_total_timeout_is_asked_for_each_call()
    {
        _script.NeverAnswers();
        var client = Standard(o => o.TotalRequestTimeout.TimeoutGenerator = args =>
            new(TimeSpan.FromSeconds(args.Context.GetRequestMessage()!.RequestUri!.AbsolutePath is "/slow" ? 120 : 5)));
        var began = _time.Elapsed;

        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => client.GetAsync("/", Cancelled));
        (_time.Elapsed - began).ShouldBe(TimeSpan.FromSeconds(5));

        _script.Replace(Outcome.Decide(_ => Outcome.Status(200)));
        (await client.GetAsync("/slow", Cancelled)).Dispose();
    }

    [Theory, InlineData(3, 3), InlineData(0, 30), InlineData(-1, 30)]
    public async Task TimeoutGenerator_of_the_attempt_timeout_is_asked_for_each_call(int seconds, int ends)
    {
        _script.NeverAnswers();
        var client = Standard(o =>
        {
            o.Retry.ShouldHandle = _ => new(false);
            o.AttemptTimeout.TimeoutGenerator = _ => new(TimeSpan.FromSeconds(seconds));
        });

        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => client.GetAsync("/", Cancelled));

        _time.Elapsed.ShouldBe(TimeSpan.FromSeconds(ends));
    }

    [Fact]
    public async Task A_generated_timeout_of_an_attempt_is_at_most_that_of_the_call()
    {
        _script.NeverAnswers();
        var client = Standard(o =>
        {
            o.TotalRequestTimeout.TimeoutGenerator = _ => new(TimeSpan.FromSeconds(4));
            o.AttemptTimeout.TimeoutGenerator = _ => new(TimeSpan.FromSeconds(9));
        });

        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => client.GetAsync("/", Cancelled));

        _time.Elapsed.ShouldBe(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task The_context_that_the_application_gave_the_request_is_the_one_that_delegates_see()
    {
        var key = new ResiliencePropertyKey<string>("mine");
        var context = ResilienceContextPool.Shared.Get(Cancelled);
        context.Properties.Set(key, "value");
        List<string> seen = [];
        _script.Status(503).Status(200);
        var client = Standard(o => o.Retry.OnRetry = args =>
        {
            seen.Add(args.Context.Properties.GetValue(key, "none"));
            return default;
        });
        var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.SetResilienceContext(context);

        (await client.SendAsync(request, Cancelled)).Dispose();

        seen.ShouldBe(["value"]);
    }

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(true, true), InlineData(false, true)]
    public async Task Handlers_inside_share_the_properties_of_the_context_with_the_delegates(bool isSync, bool hasPipeline)
    {
        var key = new ResiliencePropertyKey<int>("mine");
        List<int?> seen = [];
        _script.Status(503).Status(503).Status(200);
        var client = Build(b =>
        {
            b.AddStandardResilienceHandler(o => o.Retry.OnRetry = args =>
            {
                args.Context.Properties.Set(key, args.AttemptNumber + 1);
                return default;
            }).UseHttpResilience();
            if (hasPipeline)
                b.AddResilienceHandler("mine", p => p.AddTimeout(TimeSpan.FromMinutes(1)));
            b.AddHttpMessageHandler(() => new Reader(request =>
                seen.Add(request.GetResilienceContext() is { } context ? context.Properties.GetValue(key, 0) : null)));
        });
        var request = new HttpRequestMessage(HttpMethod.Get, "/");

        using var response = isSync ? client.Send(request, Cancelled) : await client.SendAsync(request, Cancelled);

        // A pipeline of the application has a context of its own, with the token of the attempt.
        seen.ShouldBe(hasPipeline ? [0, 0, 0] : [0, 1, 2]);
        request.GetResilienceContext().ShouldBeNull();
    }

    [Theory, InlineData(true, 2), InlineData(false, 1)]
    public async Task A_success_that_ShouldHandle_wants_is_repeated_for_a_POST_only_under_a_key(bool keyed, int requests)
    {
        _script.Status(200);
        var client = Build(b => b.AddStandardResilienceHandler(o =>
        {
            o.Retry.ShouldHandle = args => new(args.Outcome.Result is not null);
            o.Retry.MaxRetryAttempts = 1;
        }).UseHttpResilience(o => o.Idempotency.Enabled = keyed));

        (await client.PostAsync("/", null, Cancelled)).Dispose();

        _script.RequestCount.ShouldBe(requests);
    }

    [Fact]
    public async Task A_delegate_that_outlives_an_event_of_the_circuit_keeps_its_context()
    {
        var key = new ResiliencePropertyKey<string>("host");
        TaskCompletionSource eventIsOver = new(), ended = new();
        string? kept = null;
        _script.Status(200);
        var client = Standard(o => o.CircuitBreaker.OnOpened = async args =>
        {
            args.Context.Properties.Set(key, "orders");
            await eventIsOver.Task;
            kept = args.Context.Properties.GetValue(key, "none");
            ended.SetResult();
        });
        (await client.GetAsync("/", Cancelled)).Dispose();

        _services!.GetRequiredService<ICircuits>().Isolate("orders", new("https://orders.example.com"));
        eventIsOver.SetResult();
        await ended.Task.WaitAsync(Cancelled);

        kept.ShouldBe("orders");
    }

    [Fact]
    public async Task A_circuit_that_is_isolated_by_hand_tells_that_it_opened()
    {
        List<bool> told = [];
        _script.Status(200);
        var client = Standard(o => o.CircuitBreaker.OnOpened = args =>
        {
            told.Add(args.IsManual);
            return default;
        });
        (await client.GetAsync("/", Cancelled)).Dispose();

        _services!.GetRequiredService<ICircuits>().Isolate("orders", new("https://orders.example.com"));

        told.ShouldBe([true]);
    }

    [Fact]
    public async Task OnTimeout_is_told_of_attempts_and_of_the_call()
    {
        List<string> told = [];
        _script.NeverAnswers();
        var client = Standard(o =>
        {
            o.Retry.UseJitter = false;
            o.AttemptTimeout.OnTimeout = args => Tell($"attempt {args.Timeout.TotalSeconds}");
            o.TotalRequestTimeout.OnTimeout = args => Tell($"call {args.Timeout.TotalSeconds}");
        });

        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => client.GetAsync("/", Cancelled));

        told.ShouldBe(["attempt 10", "attempt 10", "call 30"]);

        ValueTask Tell(string what)
        {
            told.Add(what);
            return default;
        }
    }

    [Fact]
    public async Task The_circuit_tells_that_it_opened_half_opened_and_closed()
    {
        List<string> told = [];
        _script.Status(500).Times(20).Status(200);
        var client = Standard(o =>
        {
            o.Retry.ShouldHandle = _ => new(false);
            (o.CircuitBreaker.FailureRatio, o.CircuitBreaker.MinimumThroughput) = (0.5, 20);
            o.CircuitBreaker.BreakDuration = TimeSpan.FromSeconds(2);
            o.CircuitBreaker.OnOpened = args => Tell($"opened {args.BreakDuration.TotalSeconds} {(int)args.Outcome.Result!.StatusCode}");
            o.CircuitBreaker.OnHalfOpened = _ => Tell("half-opened");
            o.CircuitBreaker.OnClosed = args => Tell($"closed {(int)args.Outcome.Result!.StatusCode}");
        });

        for (int i = 0; i < 20; i++)
            (await client.GetAsync("/", Cancelled)).Dispose();
        (await client.GetAsync("/", Cancelled)).Dispose();

        told.ShouldBe(["opened 2 500", "half-opened", "closed 200"]);

        ValueTask Tell(string what)
        {
            told.Add(what);
            return default;
        }
    }

    [Fact]
    public async Task ShouldHandle_of_the_circuit_says_what_counts()
    {
        _script.Status(404);
        var client = Standard(o =>
        {
            (o.CircuitBreaker.FailureRatio, o.CircuitBreaker.MinimumThroughput) = (0.5, 10);
            o.CircuitBreaker.BreakDuration = TimeSpan.FromMinutes(1);
            o.CircuitBreaker.ShouldHandle = args => new(args.Outcome.Result?.StatusCode is HttpStatusCode.NotFound);
        });

        for (int i = 0; i < 10; i++)
            (await client.GetAsync("/", Cancelled)).Dispose();

        await Should.ThrowAsync<CircuitOpenException>(() => client.GetAsync("/", Cancelled));
        _script.RequestCount.ShouldBe(10);
    }

    [Fact]
    public async Task A_limiter_of_the_application_is_asked_and_OnRejected_is_told()
    {
        List<bool> told = [];
        using var limiter = new ConcurrencyLimiter(new() { PermitLimit = 1, QueueLimit = 0 });
        _script.Decide(async (_, _) =>
        {
            await Should.ThrowAsync<RateLimitedException>(() => Client.GetAsync("/", Cancelled));
            return Outcome.Status(200);
        });
        var client = Standard(o =>
        {
            o.RateLimiter.RateLimiter = args => limiter.AcquireAsync(1, args.Context.CancellationToken);
            o.RateLimiter.OnRejected = args =>
            {
                told.Add(args.Lease.IsAcquired);
                return default;
            };
        });

        (await client.GetAsync("/", Cancelled)).Dispose();

        told.ShouldBe([false]);
        limiter.GetStatistics()!.CurrentAvailablePermits.ShouldBe(1);
    }

    [Fact]
    public async Task A_limit_of_calls_at_once_is_kept_and_OnRejected_is_told()
    {
        int told = 0;
        _script.Decide(async (_, _) =>
        {
            await Should.ThrowAsync<RateLimitedException>(() => Client.GetAsync("/", Cancelled));
            return Outcome.Status(200);
        });
        var client = Standard(o =>
        {
            o.RateLimiter.DefaultRateLimiterOptions.PermitLimit = 1;
            o.RateLimiter.OnRejected = _ =>
            {
                told++;
                return default;
            };
        });

        (await client.GetAsync("/", Cancelled)).Dispose();

        told.ShouldBe(1);
    }

    [Fact]
    public async Task The_key_of_SelectPipelineBy_is_the_tenant_of_the_call()
    {
        _script.Status(500).Times(10).Status(200);
        var client = Client = Build(b => b.AddStandardResilienceHandler(o =>
        {
            (o.Retry.ShouldHandle, o.CircuitBreaker.MinimumThroughput) = (_ => new(false), 10);
            (o.CircuitBreaker.FailureRatio, o.CircuitBreaker.BreakDuration) = (0.5, TimeSpan.FromMinutes(1));
        }).SelectPipelineBy(_ => request => request.Headers.GetValues("X-Customer").First()).UseHttpResilience());

        for (int i = 0; i < 9; i++)
            (await client.SendAsync(Of("a"), Cancelled)).Dispose();
        using var last = await client.SendAsync(Of("a"), Cancelled);
        last.GetHttpCall()!.Tenant.ShouldBe("a");

        await Should.ThrowAsync<CircuitOpenException>(() => client.SendAsync(Of("a"), Cancelled));

        static HttpRequestMessage Of(string customer) => new(HttpMethod.Get, "/") { Headers = { { "X-Customer", customer } } };
    }

    [Fact]
    public async Task SelectPipelineByAuthority_needs_no_tenant()
    {
        _script.Status(200);
        var client = Build(b => b.AddStandardResilienceHandler().SelectPipelineByAuthority().UseHttpResilience());

        using var response = await client.GetAsync("/", Cancelled);

        response.GetHttpCall()!.Tenant.ShouldBeNull();
    }

    [Fact]
    public async Task OnHedging_is_told_of_each_request_that_follows_the_first()
    {
        List<int> told = [];
        _script.Status(503).Times(2).Status(200);
        var client = Build(b => b.AddStandardHedgingHandler().Configure(o =>
        {
            (o.Hedging.MaxHedgedAttempts, o.Hedging.Delay) = (2, TimeSpan.FromSeconds(1));
            o.Hedging.OnHedging = args =>
            {
                told.Add(args.AttemptNumber);
                return default;
            };
        }).UseHttpResilience());

        using var response = await client.GetAsync("/", Cancelled);

        (response.StatusCode, _script.RequestCount).ShouldBe((HttpStatusCode.OK, 3));
        told.ShouldBe([0, 1]);
    }

    [Fact]
    public async Task ShouldHandle_of_hedging_says_what_is_sent_again()
    {
        _script.Status(404).Status(200);
        var client = Build(b => b.AddStandardHedgingHandler().Configure(
            o => o.Hedging.ShouldHandle = args => new(args.Outcome.Result?.StatusCode is HttpStatusCode.NotFound)).UseHttpResilience());

        using var response = await client.GetAsync("/", Cancelled);

        (response.StatusCode, _script.RequestCount).ShouldBe((HttpStatusCode.OK, 2));
    }

    [Fact]
    public async Task An_exception_of_a_delegate_that_only_observes_is_logged_and_the_call_goes_on()
    {
        var failed = new TaskCompletionSource<LogLine>();
        _log.Logged += line =>
        {
            if (line.EventId == 801)
                failed.TrySetResult(line);
        };
        _script.NeverAnswers().Status(200);
        var client = Standard(o => o.AttemptTimeout.OnTimeout = async _ =>
        {
            await Task.Yield();
            throw new InvalidOperationException("mine");
        });

        using var response = await client.GetAsync("/", Cancelled);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await failed.Task.WaitAsync(Cancelled)).Level.ShouldBe(LogLevel.Error);
    }

    public ValueTask DisposeAsync() => _services?.DisposeAsync() ?? default;

    private HttpClient Client { get; set; } = null!;

    private HttpClient Standard(Action<HttpStandardResilienceOptions> configure) =>
        Build(b => b.AddStandardResilienceHandler(configure).UseHttpResilience());

    private HttpClient Build(Action<IHttpClientBuilder> add)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_time).AddLogging(log => log.SetMinimumLevel(LogLevel.Trace).AddProvider(_log));
        add(services.AddHttpClient("orders", c => c.BaseAddress = new("https://orders.example.com/"))
            .ConfigurePrimaryHttpMessageHandler(() => _script));
        _services = services.BuildServiceProvider();
        return Client = _services.GetRequiredService<IHttpClientFactory>().CreateClient("orders");
    }

    private static IEnumerable<double> WaitsOf(FaultScript script) =>
        script.Requests.Zip(script.Requests.Skip(1), (first, second) => (second.SentAfter - first.SentAfter).TotalSeconds);

    private sealed class Reader(Action<HttpRequestMessage> read) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            read(request);
            return base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            read(request);
            return base.Send(request, cancellationToken);
        }
    }
}
