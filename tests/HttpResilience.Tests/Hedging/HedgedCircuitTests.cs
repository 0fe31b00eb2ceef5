using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Hedging;

public sealed class HedgedCircuitTests
{
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_loser_does_not_count_against_the_circuit()
    {
        using var chain = Create(o => o.CircuitBreaker.FailureThreshold = 1);

        for (int i = 0; i < 3; i++)
        {
            chain.Server.Script(Replies.Hangs(), Replies.Status(200));
            var sending = chain.GetAsync();
            await chain.PassDelayAsync(sent: (2 * i) + 1);
            (await sending).Dispose();
        }

        chain.Logs.WithId(301).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_loser_that_hears_nothing_does_not_count_either()
    {
        using var chain = Create(o => o.CircuitBreaker.FailureThreshold = 1);
        var late = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.When(late), Replies.Status(200));
        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        (await sending).Dispose();

        late.SetResult(HedgedChain.Status(503));
        (await chain.GetAsync()).Dispose();

        chain.Logs.WithId(301).ShouldBeEmpty();
    }

    [Fact]
    public async Task Each_request_that_fails_counts()
    {
        using var chain = Create(o =>
        {
            o.CircuitBreaker.FailureThreshold = 2;
            o.Retry.MaxRetryAttempts = 0;
        });
        chain.Server.Script(Replies.Status(503));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Count.ShouldBe(2);
        chain.Logs.WithId(301).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Each_request_that_times_out_counts()
    {
        using var chain = Create(o =>
        {
            o.CircuitBreaker.FailureThreshold = 2;
            o.Retry.MaxRetryAttempts = 0;
        });
        chain.Server.Script(Replies.Hangs());

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        chain.Clock.Advance(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => sending);

        chain.Logs.WithId(301).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_circuit_that_the_first_request_opens_lets_no_second_one_out()
    {
        using var chain = Create(o =>
        {
            o.CircuitBreaker.FailureThreshold = 1;
            o.Retry.MaxRetryAttempts = 0;
        });
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(503);
        response.GetHttpCall()!.Attempts.ShouldHaveSingleItem();
        chain.Server.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task No_wait_begins_when_the_hedge_has_opened_the_circuit()
    {
        using var chain = Create(o => o.CircuitBreaker.FailureThreshold = 2);
        chain.Server.Script(Replies.Status(503));

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        chain.Server.Requests.Count.ShouldBe(2);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task An_open_circuit_rejects_at_once_and_once()
    {
        using var chain = await OpenedAsync();

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        chain.Server.Requests.ShouldHaveSingleItem();
        chain.Logs.WithId(211).ShouldBeEmpty();
        chain.Logs.Calls[^1]["Attempts"].ShouldBe(0);
    }

    [Fact]
    public async Task The_probe_of_a_half_open_circuit_is_alone_and_may_be_slow()
    {
        using var chain = await OpenedAsync();
        chain.Clock.Advance(Break);
        var probe = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(probe));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync(sent: 2);
        chain.Clock.Advance(TimeSpan.FromSeconds(5));
        probe.SetResult(HedgedChain.Status(200));
        (await sending).Dispose();

        chain.Server.Requests.Count.ShouldBe(2);
        // The hedge was rejected, and no call.
        chain.Logs.WithId(303).ShouldHaveSingleItem()["Failed"].ShouldBe(0);
    }

    [Fact]
    public async Task A_probe_that_loses_frees_its_place()
    {
        using var chain = await OpenedAsync(o => (o.CircuitBreaker.HalfOpenProbes, o.CircuitBreaker.SuccessThreshold) = (2, 4));
        chain.Clock.Advance(Break);

        for (int i = 0; i < 4; i++)
        {
            chain.Logs.WithId(303).ShouldBeEmpty();
            chain.Server.Script(Replies.Hangs(), Replies.Status(200));
            var sending = chain.GetAsync();
            await chain.PassDelayAsync(sent: 2 + (2 * i));
            (await sending).Dispose();
        }

        chain.Logs.WithId(303).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Two_probes_that_succeed_at_the_same_moment_both_count()
    {
        var first = new TaskCompletionSource<HttpResponseMessage>();
        using var chain = await OpenedAsync(
            o => (o.CircuitBreaker.HalfOpenProbes, o.CircuitBreaker.SuccessThreshold, o.Hedging.Delay) = (2, 2, TimeSpan.Zero),
            // The second request answers the first before it is answered itself, on one stack.
            builder => builder.AddHttpMessageHandler(() => new Answering((number, _) => number switch
            {
                1 => Task.FromResult(HedgedChain.Status(503)),
                2 => first.Task,
                _ => SecondAsync(first),
            })));
        chain.Clock.Advance(Break);

        (await chain.GetAsync()).Dispose();

        chain.Logs.WithId(303).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_hedge_asks_the_circuit_at_its_own_time_not_at_that_of_the_attempt()
    {
        TimeSpan briefly = TimeSpan.FromMilliseconds(100);
        using var chain = Create(o => (o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.BreakDuration) = (1, briefly));
        chain.Server.Script(Replies.Hangs(), Replies.Status(503), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.SentAsync(1);
        await chain.Clock.TimerDueInAsync(HedgedChain.Delay);
        chain.Clock.Advance(briefly);
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        chain.Logs.WithId(301).ShouldHaveSingleItem();
        chain.Clock.Advance(HedgedChain.Delay - briefly);
        (await sending).Dispose();

        chain.Logs.WithId(303).ShouldHaveSingleItem();
    }

    private static Task<HttpResponseMessage> SecondAsync(TaskCompletionSource<HttpResponseMessage> first)
    {
        first.SetResult(HedgedChain.Status(200));
        return Task.FromResult(HedgedChain.Status(200));
    }

    private static Chain Create(Action<HttpResilienceOptions>? options = null, Action<IHttpClientBuilder>? client = null) =>
        HedgedChain.Create(
            o =>
            {
                o.CircuitBreaker.UseClassic();
                options?.Invoke(o);
            },
            client);

    private static async Task<Chain> OpenedAsync(Action<HttpResilienceOptions>? options = null, Action<IHttpClientBuilder>? client = null)
    {
        var chain = Create(
            o =>
            {
                o.CircuitBreaker.FailureThreshold = 1;
                o.Retry.MaxRetryAttempts = 0;
                options?.Invoke(o);
            },
            client);
        chain.Server.Script(Replies.Status(503));
        (await chain.GetAsync()).Dispose();
        return chain;
    }

    private sealed class Answering(Func<int, HttpRequestMessage, Task<HttpResponseMessage>> answer) : DelegatingHandler
    {
        private int _number;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            answer(Interlocked.Increment(ref _number), request);
    }
}
