using System.Diagnostics;
using System.Globalization;
using System.Net;
using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>The limit of concurrent attempts that finds itself, in the chain.</summary>
public sealed class ConcurrencyTests : IDisposable
{
    private static readonly TimeSpan Attempt = TimeSpan.FromSeconds(30);

    private readonly HeldServer _server = new();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void It_is_off_by_default_and_not_in_the_chain()
    {
        using var chain = new Chain();
        chain.State.Policy.Concurrency.ShouldBeNull();
        Chain.BuildHandlers(chain.Services).AdditionalHandlers.ShouldNotContain(h => h is ConcurrencyHandler);

        using var adaptive = Adaptive(_ => { });
        Chain.BuildHandlers(adaptive.Services).AdditionalHandlers.ShouldContain(h => h is ConcurrencyHandler);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Attempts_above_the_limit_wait_in_their_order_and_are_sent_when_others_end(bool async)
    {
        using var chain = Adaptive(o => o.Concurrency.MaxLimit = 2);
        List<Task<HttpResponseMessage>> calls = [];
        for (int i = 0; i < 5; i++)
        {
            calls.Add(chain.SendAsync(async, Chain.Get($"{i}")));
            await (i < 2 ? _server.ArrivedAsync(1) : WaitingAsync(chain, i - 1));
        }

        _server.Paths.Count.ShouldBe(2);
        for (int i = 0; i < 5; i++)
        {
            _server.Answer();
            if (i < 3)
                await _server.ArrivedAsync(1);
        }

        foreach (var call in calls)
            (await call).StatusCode.ShouldBe(HttpStatusCode.OK);
        (async ? _server.Paths : [.. _server.Paths.Skip(2)]).ShouldBe(async ? ["/0", "/1", "/2", "/3", "/4"] : ["/2", "/3", "/4"]);
        Gate(chain).InFlight.ShouldBe(0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_wait_for_a_place_ends_with_the_attempt_as_a_rejection(bool async)
    {
        using var chain = Adaptive(o =>
        {
            (o.Concurrency.MaxLimit, o.AttemptTimeout.Timeout) = (1, TimeSpan.FromSeconds(60));
            o.CircuitBreaker.UseClassic().FailureThreshold = 1;
        });
        using var first = await HoldFirstAsync(chain);

        var sending = chain.SendAsync(async, Chain.Post().WithAttemptTimeout(Attempt));
        await WaitingAsync(chain, 1);
        chain.Clock.Advance(Attempt);
        var thrown = await Assert.ThrowsAsync<RateLimitedException>(() => sending);

        thrown.Message.ShouldBe(
            "The client's limit of concurrent requests to https://api.test is reached, and the wait would be too long (Concurrency).");
        (thrown.Authority, thrown.RetryAfter).ShouldBe(("https://api.test", null));
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count, call.MayHaveBeenProcessed).ShouldBe(
            (StopReason.RateLimited, FailureClass.RateLimited, 0, false));
        chain.Services.GetRequiredService<ICircuits>().List().ShouldAllBe(c => c.State == CircuitState.Closed);
        (Gate(chain).Waiting, Gate(chain).InFlight, _server.Paths.Count).ShouldBe((0, 1, 1));
        _server.Answer();
        (await first.Task).Dispose();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_caller_that_leaves_the_queue_gets_its_own_cancellation_and_the_next_one_its_turn(bool async)
    {
        using var chain = Adaptive(o => o.Concurrency.MaxLimit = 1);
        using var first = await HoldFirstAsync(chain);
        using var caller = new CancellationTokenSource();
        var leaving = chain.SendAsync(async, Chain.Get("leaving"), caller.Token);
        await WaitingAsync(chain, 1);
        var staying = chain.SendAsync(async, Chain.Get("staying"));
        await WaitingAsync(chain, 2);

        await caller.CancelAsync();
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

        thrown.CancellationToken.ShouldBe(caller.Token);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.Cancelled);
        _server.Answer();
        await _server.ArrivedAsync(1);
        _server.Answer();
        (await staying).Dispose();
        (await first.Task).Dispose();
        _server.Paths[1].ShouldBe("/staying");
        Gate(chain).InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task A_tenant_has_a_limit_of_its_own_inside_that_of_the_host()
    {
        using var chain = Adaptive(_ => { });
        var one = chain.SendAsync(true, Chain.Get().WithTenant("one"));
        var other = chain.SendAsync(true, Chain.Get().WithTenant("other"));
        await _server.ArrivedAsync(2);

        (Gate(chain).InFlight, Gate(chain, "one").InFlight, Gate(chain, "other").InFlight).ShouldBe((2, 1, 1));
        _server.Answer();
        _server.Answer();
        (await one).Dispose();
        (await other).Dispose();
        (Gate(chain).InFlight, Gate(chain, "one").InFlight, Gate(chain, "other").InFlight).ShouldBe((0, 0, 0));
    }

    [Fact]
    public async Task Tenants_that_share_a_circuit_share_the_limit()
    {
        using var chain = Adaptive(o => o.CircuitBreaker.Isolation = CircuitIsolation.Authority);
        var one = chain.SendAsync(true, Chain.Get().WithTenant("one"));
        await _server.ArrivedAsync(1);

        chain.State.Hosts.All.ShouldHaveSingleItem().Gate!.InFlight.ShouldBe(1);
        _server.Answer();
        (await one).Dispose();
    }

    [Fact]
    public async Task A_call_that_is_rejected_for_its_host_gives_back_the_place_of_its_tenant()
    {
        using var chain = Adaptive(o => (o.Concurrency.MaxLimit, o.AttemptTimeout.Timeout) = (1, TimeSpan.FromSeconds(60)));
        using var first = await HoldFirstAsync(chain);

        var sending = chain.SendAsync(true, Chain.Get().WithTenant("one").WithAttemptTimeout(Attempt));
        await WaitingAsync(chain, 1);
        Gate(chain, "one").InFlight.ShouldBe(1);
        chain.Clock.Advance(Attempt);
        await Assert.ThrowsAsync<RateLimitedException>(() => sending);

        Gate(chain, "one").InFlight.ShouldBe(0);
        _server.Answer();
        (await first.Task).Dispose();
    }

    [Fact]
    public async Task Switched_off_while_calls_wait_these_have_their_turn_and_later_ones_do_not_wait()
    {
        using var chain = Adaptive(_ => { }, ("Concurrency:MaxLimit", "1"));
        using var first = await HoldFirstAsync(chain);
        var waiting = chain.GetAsync();
        await WaitingAsync(chain, 1);

        chain.Reload(("Concurrency:Mode", "Off"));
        var later = chain.GetAsync();
        await _server.ArrivedAsync(1);
        _server.Answer();
        await _server.ArrivedAsync(1);
        _server.Answer();
        _server.Answer();

        foreach (var call in new[] { first.Task, waiting, later })
            (await call).Dispose();
        (Gate(chain).InFlight, Gate(chain).Waiting).ShouldBe((0, 0));
    }

    [Fact]
    public async Task A_higher_limit_after_a_reload_lets_those_that_wait_go_with_the_next_call()
    {
        using var chain = Adaptive(_ => { }, ("Concurrency:MaxLimit", "1"));
        using var first = await HoldFirstAsync(chain);
        var waiting = chain.GetAsync();
        await WaitingAsync(chain, 1);

        chain.Reload(("Concurrency:MaxLimit", "5"));
        var later = chain.GetAsync();
        await _server.ArrivedAsync(2);

        for (int i = 0; i < 3; i++)
            _server.Answer();
        foreach (var call in new[] { first.Task, waiting, later })
            (await call).Dispose();
    }

    [Theory]
    [InlineData("503", 18)]
    [InlineData("429", 18)]
    [InlineData("504", 18)]
    [InlineData("reset", 18)]
    [InlineData("timeout", 18)]
    [InlineData("refused", 18)]
    [InlineData("500", 20)]
    [InlineData("404", 20)]
    [InlineData("200", 20)]
    [InlineData("broken", 20)]
    public async Task The_end_of_attempts_moves_the_limit(string end, int limit)
    {
        using var chain = new Chain(o =>
        {
            (o.Concurrency.Mode, o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (ConcurrencyMode.Adaptive, 0, null);
            o.Retry.ShouldRetryAfterHeader = false;
        });
        _ = end switch
        {
            "reset" => chain.Server.Reset(),
            "timeout" => chain.Server.NeverAnswers(),
            "refused" => chain.Server.Refused(),
            "broken" => chain.Server.Throws(() => new InvalidOperationException("a defect")),
            var status => chain.Server.Status(int.Parse(status, CultureInfo.InvariantCulture)),
        };

        for (int i = 0; i < 5; i++)
            _ = await Record.ExceptionAsync(async () => (await chain.GetAsync()).Dispose());

        Gate(chain).Limit.ShouldBe(limit);
        Gate(chain).InFlight.ShouldBe(0);
    }

    [Fact]
    public void A_host_with_attempts_in_flight_is_not_evicted()
    {
        var host = new HostState(new(new(new("https://api.test")), null));
        var policy = new ConcurrencyPolicy(1, 1, 1);
        var gate = host.GetOrAddGate(TimeProvider.System);
        gate.ShouldBeSameAs(host.GetOrAddGate(TimeProvider.System));
        host.StandingAt(0).ShouldBe(HostStanding.Closed);

        var turn = gate.Enter(policy, long.MaxValue);
        host.StandingAt(0).ShouldBe(HostStanding.Held);

        gate.Exit(policy, turn.Number, 1, LoadSign.Answered);
        host.StandingAt(0).ShouldBe(HostStanding.Closed);
    }

    [Fact]
    public async Task Its_limit_and_the_attempts_that_wait_are_measured_without_those_of_tenants()
    {
        using var chain = Adaptive(o => o.Concurrency.MaxLimit = 1);
        _ = chain.Client;
        using var metrics = new MeasurementCollector(chain.Services);
        using var first = await HoldFirstAsync(chain);
        var waiting = chain.SendAsync(true, Chain.Get().WithTenant("one"));
        await WaitingAsync(chain, 1);

        metrics.Observe("concurrency.limit").ShouldHaveSingleItem().Value.ShouldBe(1);
        metrics.Observe("concurrency.waiting").ShouldHaveSingleItem().Value.ShouldBe(1);

        _server.Answer();
        await _server.ArrivedAsync(1);
        _server.Answer();
        (await first.Task).Dispose();
        (await waiting).Dispose();
    }

    private Chain Adaptive(Action<HttpResilienceOptions> configure, params (string Key, string Value)[] settings)
    {
        var chain = new Chain(
            options: configure, client: b => b.ConfigurePrimaryHttpMessageHandler(() => _server),
            settings: new Dictionary<string, string?>(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)))
            {
                ["Concurrency:Mode"] = "Adaptive",
            });
        chain.Clock.SkipsWaits = false;
        return chain;
    }

    // One call in flight, whose answer the test gives.
    private async Task<Held> HoldFirstAsync(Chain chain)
    {
        var first = chain.SendAsync(true, Chain.Get("first"));
        await _server.ArrivedAsync(1);
        return new(first);
    }

    private static ConcurrencyGate Gate(Chain chain, string? tenant = null) =>
        chain.State.Hosts.Find(new(new(new("https://api.test")), tenant))!.Gate!;

    // A call that blocks its thread gets there by itself.
    private static async Task WaitingAsync(Chain chain, int attempts)
    {
        var limit = Stopwatch.StartNew();
        while (Gate(chain).Waiting < attempts)
        {
            limit.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(30), $"{Gate(chain).Waiting} wait");
            await Task.Yield();
        }
    }

    private sealed record Held(Task<HttpResponseMessage> Task) : IDisposable
    {
        public void Dispose()
        {
            if (Task.IsCompletedSuccessfully)
                Task.Result.Dispose();
        }
    }
}
