namespace HttpResilience.Tests.Hedging;

/// <summary>Delays that follow from the latencies of the host.</summary>
public sealed class LearnedDelayTests
{
    [Fact]
    public async Task Before_a_hundred_answers_the_delay_is_half_a_second()
    {
        using var chain = await KnownAsync(answers: 99);

        await HedgesAfterAsync(chain, TimeSpan.FromMilliseconds(500));
    }

    [Fact]
    public async Task Then_it_is_that_of_the_host()
    {
        using var chain = await KnownAsync();

        await HedgesAfterAsync(chain, TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public async Task A_delay_that_is_set_stays()
    {
        using var chain = await KnownAsync(o => o.Hedging.Delay = TimeSpan.FromSeconds(2));

        await HedgesAfterAsync(chain, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Another_host_has_a_delay_of_its_own()
    {
        using var chain = await KnownAsync();

        await HedgesAfterAsync(chain, TimeSpan.FromMilliseconds(500), "https://other.test/");
    }

    [Fact]
    public async Task The_calls_of_a_route_have_a_delay_of_their_own()
    {
        using var chain = await KnownAsync(o => o.Routes["GET /exports/*"] = _ => { });

        await HedgesAfterAsync(chain, TimeSpan.FromMilliseconds(500), "exports/1");
    }

    [Fact]
    public async Task A_host_that_becomes_slow_gets_at_most_one_request_in_twenty_a_second_time()
    {
        // The clock may run ahead of the calls by any time.
        using var chain = await KnownAsync(o => (o.AttemptTimeout.Timeout, o.TotalRequestTimeout.Timeout) = (null, null));
        chain.Server.Replace(Outcome.Status(200).Delayed(TimeSpan.FromSeconds(1)));
        int before = chain.Server.RequestCount;

        for (int call = 0; call < 100; call++)
        {
            var calling = chain.GetAsync();
            while (!calling.IsCompleted)
            {
                await Task.Yield();
                chain.Clock.Advance(TimeSpan.FromMilliseconds(5));
            }

            (await calling).Dispose();
        }

        (chain.Server.RequestCount - before).ShouldBeLessThanOrEqualTo(100 + 10 + 5);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_attempt_ends_at_the_learned_timeout(bool async)
    {
        using var chain = await KnownAsync(o => (o.Hedging.Enabled, o.AttemptTimeout.Learn) = (false, true), answers: 1100);
        chain.Server.Replace(Outcome.NeverAnswers());

        var thrown = await Assert.ThrowsAsync<TaskCanceledException>(
            () => EndedAsync(chain, 1, chain.SendAsync(async, Chain.Get().WithMaxRetryAttempts(0))));

        thrown.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromSeconds(1));
        thrown.Message.ShouldContain("AttemptTimeout:Learn (00:00:01)");
    }

    [Fact]
    public async Task The_timeout_of_the_call_itself_stays()
    {
        using var chain = await KnownAsync(o => (o.Hedging.Enabled, o.AttemptTimeout.Learn) = (false, true), answers: 1100);
        chain.Server.Replace(Outcome.NeverAnswers());

        var thrown = await Assert.ThrowsAsync<TaskCanceledException>(() => EndedAsync(chain, 7, chain.SendAsync(
            true, Chain.Get().WithMaxRetryAttempts(0).WithAttemptTimeout(TimeSpan.FromSeconds(7)))));

        thrown.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public async Task It_is_never_beyond_the_timeout_that_is_set()
    {
        using var chain = await KnownAsync(o =>
        {
            (o.Hedging.Enabled, o.AttemptTimeout.Learn) = (false, true);
            o.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(700);
        }, answers: 1100);
        chain.Server.Replace(Outcome.NeverAnswers());

        var thrown = await Assert.ThrowsAsync<TaskCanceledException>(
            () => EndedAsync(chain, 0.7, chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))));

        thrown.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromMilliseconds(700));
    }

    [Fact]
    public async Task A_host_that_becomes_slower_than_its_learned_timeout_is_learned_anew()
    {
        using var chain = await KnownAsync(o =>
        {
            (o.Hedging.Enabled, o.AttemptTimeout.Learn, o.CircuitBreaker.BreakDuration) = (false, true, null);
        }, answers: 1100);
        chain.Server.Replace(Outcome.Status(200).Delayed(TimeSpan.FromSeconds(2)));
        int failed = 0;

        for (int call = 0; call < 100; call++)
        {
            var calling = chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0));
            await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(2));
            chain.Clock.Advance(TimeSpan.FromSeconds(1));
            chain.Clock.Advance(TimeSpan.FromSeconds(1));
            try
            {
                (await calling).Dispose();
            }
            catch (TaskCanceledException)
            {
                failed++;
            }
        }

        failed.ShouldBeInRange(1, 40);
    }

    [Fact]
    public async Task Fast_failures_are_not_learned_from()
    {
        using var chain = await KnownAsync(o => (o.CircuitBreaker.BreakDuration, o.Retry.Budget.RetryRatio) = (null, null));
        chain.Server.Replace(Outcome.Status(503));
        for (int call = 0; call < 200; call++)
            (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();

        await HedgesAfterAsync(chain, TimeSpan.FromMilliseconds(1));
    }

    // All answers come at once, so that no delay passes.
    private static async Task<Chain> KnownAsync(Action<HttpResilienceOptions>? options = null, int answers = 400)
    {
        var chain = HedgedChain.Create(options);
        chain.Server.Replace(Outcome.Status(200));
        for (int call = 0; call < answers; call++)
            (await chain.GetAsync()).Dispose();
        return chain;
    }

    private static async Task HedgesAfterAsync(Chain chain, TimeSpan delay, string uri = "invoices/1")
    {
        int sent = chain.Server.RequestCount;
        chain.Server.Replace(Outcome.NeverAnswers(), Outcome.Status(200));

        var calling = chain.SendAsync(true, Chain.Get(uri));
        await chain.Clock.TimerDueInAsync(delay);
        chain.Clock.Advance(delay);
        (await calling).Dispose();

        chain.Server.RequestCount.ShouldBe(sent + 2);
    }

    private static async Task<HttpResponseMessage> EndedAsync(Chain chain, double seconds, Task<HttpResponseMessage> calling)
    {
        await chain.SentAsync(1101);
        chain.Clock.Advance(TimeSpan.FromSeconds(seconds));
        return await calling;
    }
}
