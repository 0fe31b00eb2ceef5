using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>What is told of a short break that calls wait out, and of a long one.</summary>
public sealed class CircuitReportTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_meets_a_short_break_waits_for_it_and_is_the_probe(bool async)
    {
        using var chain = await OpenedAsync();
        chain.Server.Script(Replies.Status(200));

        var waiting = chain.GetAsync(async);
        await WaitingAsync(chain, 1);
        chain.Server.Requests.Count.ShouldBe(1);
        chain.Clock.Advance(TimeSpan.FromSeconds(1));

        using var response = await waiting.WaitAsync(Hang, TestContext.Current.CancellationToken);
        ((int)response.StatusCode).ShouldBe(200);
        var call = response.GetHttpCall()!;
        (call.CircuitWait, call.Attempts.Count).ShouldBe((TimeSpan.FromSeconds(1), 1));
        var line = chain.Logs.Calls[^1];
        line["CircuitWaitMs"].ShouldBe(1000.0);
        line.Message.ShouldContain("200 in 1000 ms, 1 attempt (1000 ms of it waiting for the circuit)");
        chain.Logs.Calls[0].Properties.ShouldNotContainKey("CircuitWaitMs");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_break_that_calls_wait_out_is_one_line_at_its_end(bool fails)
    {
        using var chain = await OpenedAsync(o => o.CircuitBreaker.MaxWaiting = 2);
        chain.Server.Script(Replies.Status(fails ? 503 : 200), Replies.Status(200));
        Task<HttpResponseMessage>[] waiting = [chain.GetAsync(), chain.GetAsync()];
        await WaitingAsync(chain, 2);
        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        (await HealthOf(chain)).ShouldNotContain("circuit");
        for (int i = 0; i < 8 && !Array.TrueForAll(waiting, w => w.IsCompleted); i++)
        {
            chain.Clock.Advance(TimeSpan.FromSeconds(0.5));
            await Task.WhenAny(Task.WhenAll(waiting), Task.Delay(100, TestContext.Current.CancellationToken));
        }

        foreach (var call in waiting)
            (await call.WaitAsync(Hang, TestContext.Current.CancellationToken)).Dispose();
        var told = chain.Logs.Entries.Where(e => e.Id.Id is > 300 and < 400 && e.Level > LogLevel.Debug).ShouldHaveSingleItem();
        (told.Id.Id, told.Level).ShouldBe((303, LogLevel.Information));
        (told["Waited"], told["Failed"]).ShouldBe((2, 1));
        told.Message.ShouldBe(
            $"api: circuit for https://api.test closed after {(fails ? 2000 : 1000)} ms; calls that waited: 2, failed: 1");
        chain.Logs.WithId(301).Select(e => e.Level).ShouldBe(Enumerable.Repeat(LogLevel.Debug, fails ? 2 : 1));
    }

    [Fact]
    public async Task An_outage_that_lasts_longer_than_calls_wait_is_a_warning_once()
    {
        using var chain = await OpenedAsync();
        chain.Server.Script(Replies.Status(503));
        for (int i = 0; i < 8; i++)
        {
            chain.Clock.Advance(TimeSpan.FromMilliseconds((long)chain.Logs.WithId(301)[^1]["BreakMs"]!));
            await CallAsync(chain);
            chain.Logs.WithId(305).Count.ShouldBe(i < 4 ? 0 : 1);
            (await HealthOf(chain)).Contains("circuit").ShouldBe(i >= 4);
        }

        chain.Logs.Entries.Where(e => e.Level is LogLevel.Warning && e.Id.Id is > 300 and < 400).ShouldHaveSingleItem().Message
            .ShouldBe("api: circuit for https://api.test has not been closed for 5000 ms; calls fail until a probe succeeds");
        chain.Logs.WithId(301).Select(e => e["BreakMs"])
            .ShouldBe([1000L, 1000L, 1000L, 1000L, 1000L, 2000L, 4000L, 8000L, 10_000L]);
        chain.Logs.WithId(301).Concat(chain.Logs.WithId(302)).ShouldAllBe(e => e.Level == LogLevel.Debug);

        chain.Server.Script(Replies.Status(200));
        chain.Clock.Advance(TimeSpan.FromSeconds(10));
        await CallAsync(chain);

        chain.Logs.WithId(303).ShouldHaveSingleItem()["OutageMs"].ShouldBe(29_000L);
        (await HealthOf(chain)).ShouldNotContain("circuit");
    }

    [Fact]
    public async Task A_probe_without_an_answer_does_not_delay_the_warning()
    {
        using var chain = await OpenedAsync();
        chain.Server.Script(Replies.Hangs());
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        using var leave = new CancellationTokenSource();
        var probe = chain.SendAsync(true, Chain.Get(), leave.Token);
        chain.Clock.Advance(TimeSpan.FromSeconds(0.5));
        var waiting = chain.SendAsync(true, Chain.Get(), leave.Token);
        await WaitingAsync(chain, 1);
        for (int i = 0; i < 12; i++)
            chain.Clock.Advance(TimeSpan.FromSeconds(0.5));

        var last = chain.SendAsync(true, Chain.Get(), leave.Token);
        await Task.WhenAny(last, Task.Delay(100, TestContext.Current.CancellationToken));

        chain.Logs.WithId(305).ShouldHaveSingleItem();
        await leave.CancelAsync();
        foreach (var call in new[] { probe, waiting, last })
            await Record.ExceptionAsync(() => call);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_break_that_no_call_waits_for_is_a_warning_at_once(bool isClassic)
    {
        using var chain = await OpenedAsync(
            o =>
            {
                if (isClassic)
                    (o.CircuitBreaker.MaxWait, o.CircuitBreaker.BreakDuration) = (null, TimeSpan.FromSeconds(30));
            },
            isClassic ? Replies.Status(503) : Replies.Status(503, ("Retry-After", "30")));

        (await HealthOf(chain)).ShouldContain("api: the circuit of https://api.test is open");
        var told = chain.Logs.WithId(301).ShouldHaveSingleItem();
        (told.Level, told["BreakMs"]).ShouldBe((LogLevel.Warning, 30_000L));
        chain.Logs.WithId(305).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_circuit_that_only_observes_lets_every_call_through_and_says_what_it_would_do()
    {
        using var chain = new Chain(o =>
        {
            (o.CircuitBreaker.Mode, o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.FailureDuration) = (CircuitMode.Observe, 2, null);
            (o.CircuitBreaker.MaxWait, o.Retry.MaxRetryAttempts) = (null, 3);
        }, services: s => s.AddHealthChecks().AddHttpResilience());
        chain.Server.Script(Replies.Status(503));
        for (int i = 0; i < 3; i++)
            (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(12);
        var opened = chain.Logs.WithId(301)[0];
        (opened.Level, opened["Authority"]).ShouldBe((LogLevel.Warning, "https://api.test (observed only)"));
        (await HealthOf(chain)).ShouldNotContain("circuit");
        chain.State.HasCircuitBreaker.ShouldBeFalse();
        chain.State.HoldsLettersBack.ShouldBeFalse();

        chain.Server.Script(Replies.Status(200));
        chain.Clock.Advance(TimeSpan.FromMinutes(1));
        (await chain.GetAsync()).Dispose();
        ((int)chain.Logs.WithId(303).ShouldHaveSingleItem()["Failed"]!).ShouldBeGreaterThan(0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_reload_to_observing_lets_calls_through_at_once(bool async)
    {
        using var chain = await OpenedAsync();
        chain.Server.Script(Replies.Status(200));

        chain.Reload(("CircuitBreaker:Mode", "Observe"));

        (await chain.GetAsync(async)).Dispose();
        chain.Server.Requests.Count.ShouldBe(2);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_with_a_kept_response_does_not_wait(bool async)
    {
        using var chain = new Chain(o =>
        {
            (o.Fallback.Enabled, o.Retry.MaxRetryAttempts) = (true, 0);
            (o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.FailureDuration) = (1, null);
        });
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(200, "kept"), Replies.Status(503), Replies.Status(200));
        for (int i = 0; i < 2; i++)
            (await chain.GetAsync()).Dispose();

        using var response = await chain.GetAsync(async).WaitAsync(Hang, TestContext.Current.CancellationToken);

        response.GetHttpCall()!.IsStale.ShouldBeTrue();
        chain.Server.Requests.Count.ShouldBe(2);
        var other = chain.SendAsync(async, Chain.Get("invoices/2"));
        await WaitingAsync(chain, 1);
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        (await other.WaitAsync(Hang, TestContext.Current.CancellationToken)).Dispose();
    }

    private static async Task<Chain> OpenedAsync(Action<HttpResilienceOptions>? options = null, Reply? failure = null)
    {
        var chain = new Chain(
            o =>
            {
                (o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.FailureDuration, o.Retry.MaxRetryAttempts) = (1, null, 0);
                options?.Invoke(o);
            },
            services: s => s.AddHealthChecks().AddHttpResilience());
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(failure ?? Replies.Status(503));
        (await chain.GetAsync()).Dispose();
        return chain;
    }

    private static async Task CallAsync(Chain chain)
    {
        if (await Record.ExceptionAsync(async () => (await chain.GetAsync()).Dispose()) is { } thrown)
            thrown.ShouldBeOfType<CircuitOpenException>();
    }

    private static async Task<string> HealthOf(Chain chain) =>
        (await chain.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken))
            .Entries.Values.Single().Description!;

    private static async Task WaitingAsync(Chain chain, int calls)
    {
        using var hang = new CancellationTokenSource(Hang);
        while (chain.State.Hosts.All.Sum(h => h.Queue?.Count ?? 0) < calls)
            await Task.Delay(1, hang.Token);
    }
}
