using Microsoft.Extensions.DependencyInjection;
using static HttpResilience.Tests.CircuitBreaker.TrippedCircuit;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>What else limits a call that waits for its turn at a circuit that has closed: its deadline, and a pause of the host.</summary>
public sealed class TurnLimitsTests
{
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(1);

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_leaves_half_of_the_time_until_its_deadline_for_its_attempt(bool async)
    {
        using var chain = new Chain(o =>
        {
            o.Retry.MaxRetryAttempts = 0;
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(3);
        });
        // One call in 3 s: the third of those that have waited would have its turn 2.2 s after the second.
        for (int i = 0; i < 12; i++)
        {
            await chain.GetAsync();
            chain.Clock.Advance(TimeSpan.FromSeconds(3));
        }

        var host = chain.Trip();
        Task<HttpResponseMessage>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => chain.GetAsync(async))];
        await UntilAsync(() => host.Places.Taken == waiting.Length);
        chain.Clock.Advance(Break);
        await UntilAsync(() => host.Places.Taken == waiting.Length - 2);
        await UntilAsync(() => waiting.Count(w => w.IsCompleted) == 2);

        // The break has left 2 s.
        chain.Clock.Advance(TimeSpan.FromSeconds(0.99));
        host.Places.Taken.ShouldBe(waiting.Length - 2);
        chain.Clock.Advance(TimeSpan.FromSeconds(0.01));
        host.Places.Taken.ShouldBe(0);

        foreach (var response in await Task.WhenAll(waiting))
            response.StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_pause_that_begins_while_a_call_waits_for_its_turn_holds_it_back(bool async)
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 0);
        await chain.GetAsync();
        var host = chain.Trip();
        chain.Server.Replace(
            Outcome.Status(200), Outcome.Status(429, retryAfter: TimeSpan.FromSeconds(10)), Outcome.Status(200));
        Task<HttpResponseMessage>[] waiting = [.. Enumerable.Range(0, 3).Select(_ => chain.GetAsync(async))];
        await UntilAsync(() => host.Places.Taken == waiting.Length);
        chain.Clock.Advance(Break);
        await UntilAsync(() => waiting.Count(w => w.IsCompleted) == 2);
        host.Pause.ShouldNotBeNull().Until.ShouldBeGreaterThan(chain.Clock.GetTimestamp());

        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        await UntilAsync(() => host.Places.Taken == 0);
        await chain.Clock.UntilSomebodyWaitsAsync();
        chain.Server.RequestCount.ShouldBe(3);

        // The rest of the pause, and its turn after it.
        chain.Clock.Advance(TimeSpan.FromSeconds(20));
        (await Task.WhenAll(waiting)).Select(r => (int)r.StatusCode).Order().ShouldBe([200, 200, 429]);
        host.Circuit.State.ShouldBe(CircuitState.Closed);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Whether_an_attempt_was_processed_is_asked_after_the_wait_for_the_circuit(bool async)
    {
        var reconciler = new AskedAt();
        using var chain = new Chain(
            o =>
            {
                o.Idempotency.Enabled = false;
                (o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.FailureDuration) = (1, null);
                o.Retry.Delay = TimeSpan.FromMilliseconds(100);
            },
            services: s => s.AddSingleton<IReconciler>(reconciler));
        reconciler.Clock = chain.Clock;
        chain.Server.Replace(Outcome.Reset(), Outcome.Status(200));

        (await chain.PostAsync(async)).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);

        reconciler.Times.ShouldHaveSingleItem().ShouldBeGreaterThanOrEqualTo(Break);
    }

    private sealed class AskedAt : IReconciler
    {
        internal ManualTimeProvider? Clock { get; set; }

        internal List<TimeSpan> Times { get; } = [];

        public ValueTask<HttpResponseMessage?> FindAsync(HttpCall httpCall, HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Times.Add(Clock!.Elapsed);
            return new((HttpResponseMessage?)null);
        }
    }
}
