using System.Net;
using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Chaos;

public sealed class InjectionTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_fault_fails_the_attempt_like_a_cut_connection_and_nothing_is_sent(bool async)
    {
        using var chain = WithChaos(o => o.Fault.InjectionRate = 1);

        var thrown = await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync(async));

        chain.Server.Requests.ShouldBeEmpty();
        var call = thrown.GetHttpCall().ShouldNotBeNull();
        call.Attempts.Select(a => a.FailureClass).ShouldBe(Enumerable.Repeat(FailureClass.Transient, 4));
        call.StopReason.ShouldBe(StopReason.AttemptsExhausted);
    }

    [Fact]
    public async Task A_fault_is_as_ambiguous_as_a_real_one()
    {
        using var chain = WithChaos(o => o.Fault.InjectionRate = 1, o => o.Idempotency.Enabled = false);

        var thrown = await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.PostAsync());

        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.UnsafeMethod);
    }

    [Theory, InlineData(true, null), InlineData(false, null), InlineData(true, 429), InlineData(false, 418)]
    public async Task A_status_answers_the_attempt_and_nothing_is_sent(bool async, int? status)
    {
        using var chain = WithChaos(
            o => (o.Status.InjectionRate, o.Status.StatusCode) = (1, status ?? o.Status.StatusCode), o => o.Retry.MaxRetryAttempts = 0);

        using var response = await chain.GetAsync(async);

        response.StatusCode.ShouldBe((HttpStatusCode)(status ?? 503));
        response.RequestMessage.ShouldNotBeNull();
        response.GetHttpCall()!.Attempts.ShouldHaveSingleItem();
        chain.Server.Requests.ShouldBeEmpty();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Latency_holds_the_attempt_up_and_then_sends_it(bool async)
    {
        using var chain = WithChaos(o => o.Latency.InjectionRate = 1);

        using var response = await chain.GetAsync(async);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        chain.Server.Requests.ShouldHaveSingleItem().SentAfter.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Latency_beyond_the_attempts_timeout_is_a_timeout(bool async)
    {
        using var chain = WithChaos(
            o => (o.Latency.InjectionRate, o.Latency.Duration) = (1, TimeSpan.FromMinutes(1)), o => o.Retry.MaxRetryAttempts = 0);
        chain.Clock.SkipsWaits = false;

        var sending = chain.GetAsync(async);
        await chain.Clock.TimerDueInAsync(TimeSpan.FromMinutes(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(30));
        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => sending);

        thrown.InnerException.ShouldBeOfType<TimeoutException>();
        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_rest_of_the_chain_takes_it_for_the_host()
    {
        using var chain = WithChaos(o => o.Status.InjectionRate = 1, o => o.CircuitBreaker.UseClassic().FailureThreshold = 2);

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        chain.Logs.WithId(301).ShouldHaveSingleItem();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_without_an_injected_fault_is_sent(bool async)
    {
        using var chain = WithChaos(_ => { });

        using var response = await chain.PostAsync(async);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        chain.Server.Requests.ShouldHaveSingleItem().Text.ShouldBe("{\"number\":1}");
    }

    [Fact]
    public async Task A_kind_without_a_rate_of_its_own_takes_the_common_one()
    {
        using var chain = new Chain(o =>
        {
            (o.Chaos.Enabled, o.Chaos.InjectionRate) = (true, 1);
            (o.Chaos.Latency.InjectionRate, o.Chaos.Fault.InjectionRate) = (0, 0);
            o.Retry.MaxRetryAttempts = 0;
        });

        using var response = await chain.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Theory, InlineData(0.05), InlineData(0.3), InlineData(0.95)]
    public async Task As_many_are_hit_as_the_rate_says(double rate)
    {
        const int calls = 4000;
        const int seed = 20260301;
        int hit = (await HitsAsync(rate, seed, calls)).Count(h => h);

        // Six standard deviations.
        double tolerance = 6 * Math.Sqrt(calls * rate * (1 - rate));
        ((double)hit).ShouldBe(calls * rate, tolerance, $"seed {seed}");
    }

    [Fact]
    public async Task The_same_seed_hits_the_same_attempts()
    {
        var first = await HitsAsync(0.5, seed: 7, calls: 64);

        (await HitsAsync(0.5, seed: 7, calls: 64)).ShouldBe(first);
        (await HitsAsync(0.5, seed: 8, calls: 64)).ShouldNotBe(first);
    }

    private static async Task<List<bool>> HitsAsync(double rate, int seed, int calls)
    {
        using var chain = WithChaos(o => (o.Status.InjectionRate, o.Seed) = (rate, seed), o =>
        {
            o.Retry.MaxRetryAttempts = 0;
            o.CircuitBreaker.BreakDuration = null;
        });
        var hits = new List<bool>(calls);
        for (int i = 0; i < calls; i++)
        {
            using var response = await chain.GetAsync();
            hits.Add(response.StatusCode is HttpStatusCode.ServiceUnavailable);
        }

        return hits;
    }

    private static Chain WithChaos(Action<ChaosOptions> chaos, Action<HttpResilienceOptions>? options = null) => new(o =>
    {
        (o.Chaos.Enabled, o.Chaos.InjectionRate) = (true, 0);
        chaos(o.Chaos);
        options?.Invoke(o);
    });
}
