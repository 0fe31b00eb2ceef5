using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static HttpResilience.Tests.CircuitBreaker.TrippedCircuit;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>Calls that wait out a short break of their circuit.</summary>
public sealed class CircuitWaitTests
{
    private static readonly Uri Api = new("https://api.test");
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(1);

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_meets_a_short_break_waits_and_probes_the_host_at_its_end(bool async)
    {
        using var chain = await DownAsync();
        chain.Server.Replace(Outcome.Status(200));

        var waiting = chain.GetAsync(async);
        await chain.Clock.TimerDueInAsync(Break);
        chain.Server.RequestCount.ShouldBe(1);
        chain.Clock.Advance(Break);

        (await waiting).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        StateOf(chain).ShouldBe(CircuitState.Closed);
        (await chain.GetAsync(async)).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        ShouldHaveNothingLeft(chain);
    }

    [Fact]
    public async Task Those_behind_the_probe_are_sent_in_their_order_when_it_has_succeeded()
    {
        using var chain = await DownAsync();
        chain.Server.Replace(Outcome.Status(200));
        List<Task<HttpResponseMessage>> waiting = [];
        for (int i = 0; i < 5; i++)
        {
            waiting.Add(chain.SendAsync(async: true, Chain.Get($"invoices/{i}")));
            await chain.Clock.TimerDueInAsync(Break);
        }

        chain.Clock.Advance(Break);
        // Each turn comes with a timer, and none before it.
        for (int sent = 2; sent < 5; sent++)
        {
            await UntilAsync(() => chain.Server.RequestCount > sent);
            chain.Server.RequestCount.ShouldBe(1 + sent);
            chain.Clock.AdvanceToNextTimer();
        }

        foreach (var response in await Task.WhenAll(waiting))
            response.StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        chain.Server.Requests.Skip(1).Select(r => r.Uri!.AbsolutePath).ShouldBe(Enumerable.Range(0, 5).Select(i => $"/invoices/{i}"));
        ShouldHaveNothingLeft(chain);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task When_an_operator_isolates_the_circuit_those_that_wait_fail_at_once(bool async)
    {
        using var chain = await DownAsync();
        var waiting = chain.GetAsync(async);
        await chain.Clock.TimerDueInAsync(Break);

        chain.Services.GetRequiredService<ICircuits>().Isolate(Chain.Name, Api);

        await Should.ThrowAsync<CircuitOpenException>(() => waiting);
        ShouldHaveNothingLeft(chain);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task When_an_operator_closes_the_circuit_those_that_wait_are_sent_at_once(bool async)
    {
        using var chain = await DownAsync();
        chain.Server.Replace(Outcome.Status(200));
        var waiting = chain.GetAsync(async);
        await chain.Clock.TimerDueInAsync(Break);

        chain.Services.GetRequiredService<ICircuits>().Close(Chain.Name, Api);

        (await waiting).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        ShouldHaveNothingLeft(chain);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_caller_that_cancels_leaves_the_queue(bool async)
    {
        using var chain = await DownAsync();
        using var caller = new CancellationTokenSource();
        var waiting = chain.SendAsync(async, Chain.Get(), caller.Token);
        await chain.Clock.TimerDueInAsync(Break);

        await caller.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
        ShouldHaveNothingLeft(chain);
    }

    [Fact]
    public async Task A_call_whose_deadline_comes_before_the_end_of_the_break_fails_at_once()
    {
        using var chain = await DownAsync(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(0.9));

        await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync());
    }

    [Fact]
    public async Task Without_a_place_a_call_fails_at_once()
    {
        using var chain = await DownAsync(o => o.CircuitBreaker.MaxWaiting = 1);
        var waiting = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(Break);

        await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync());
        chain.Server.Replace(Outcome.Status(200));
        chain.Clock.Advance(Break);
        (await waiting).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_host_and_its_tenants_have_their_places_together()
    {
        using var chain = await DownAsync(o => o.CircuitBreaker.MaxWaiting = 1);
        chain.Trip("a");
        var waiting = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(Break);

        using (HttpCallScope.Begin(new() { Tenant = "a" }))
            await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync());
        chain.Server.Replace(Outcome.Status(200));
        chain.Clock.Advance(Break);
        await waiting;
    }

    [Fact]
    public async Task A_call_that_the_circuit_of_its_tenant_rejects_does_not_wait_for_that_of_the_host()
    {
        using var chain = await DownAsync();
        chain.Trip("a").Circuit.Isolate(chain.Clock.GetTimestamp());

        using (HttpCallScope.Begin(new() { Tenant = "a" }))
            (await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync())).Tenant.ShouldBe("a");
        ShouldHaveNothingLeft(chain);
    }

    [Fact]
    public async Task A_call_waits_for_its_tenant_and_for_the_host_under_one_budget()
    {
        using var chain = await DownAsync(o => o.CircuitBreaker.MaxWait = TimeSpan.FromSeconds(1.5));
        chain.Server.Replace(Outcome.Status(200));
        chain.Trip("a");
        Task<HttpResponseMessage> waiting;
        using (HttpCallScope.Begin(new() { Tenant = "a" }))
            waiting = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(Break);

        // The host's circuit opens again meanwhile: for longer than the call has left when its tenant's lets it go.
        chain.Clock.Advance(TimeSpan.FromSeconds(0.9));
        chain.Trip();
        chain.Clock.Advance(TimeSpan.FromSeconds(0.1));

        await Should.ThrowAsync<CircuitOpenException>(() => waiting);
        ShouldHaveNothingLeft(chain);
    }

    [Fact]
    public async Task The_wait_of_a_call_outlives_a_reload_that_ends_waiting_for_others()
    {
        using var chain = await DownAsync();
        var waiting = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(Break);

        chain.Reload(("CircuitBreaker:MaxWait", ""));

        await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync());
        chain.Server.Replace(Outcome.Status(200));
        chain.Clock.Advance(Break);
        (await waiting).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        (await chain.GetAsync()).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_becomes_a_letter_because_the_host_stops_leaves_the_queue(bool async)
    {
        using var lifetime = new Lifetime();
        using var chain = await DownAsync(
            o => o.DeadLetter.Enabled = true,
            s => s.AddSingleton<IHostApplicationLifetime>(lifetime).AddSingleton<IDeadLetterStore>(new InMemoryStorage().DeadLetters));
        var waiting = chain.PostAsync(async);
        await chain.Clock.TimerDueInAsync(Break);

        lifetime.StopApplication();

        (await Should.ThrowAsync<HttpRequestException>(() => waiting)).GetHttpCall()!.StopReason.ShouldBe(StopReason.HostStopping);
        ShouldHaveNothingLeft(chain);
    }

    [Fact]
    public async Task A_synchronous_call_gets_its_turn_although_no_timer_fires()
    {
        using var chain = await DownAsync(
            o => o.CircuitBreaker.BreakDuration = TimeSpan.FromMilliseconds(100),
            s => s.AddSingleton<TimeProvider>(new TimeWithoutTimers()));
        chain.Server.Replace(Outcome.Status(200));

        (await chain.GetAsync(async: false)).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        StateOf(chain).ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public async Task Synchronous_calls_block_at_most_half_of_the_threads_that_the_pool_has_at_least()
    {
        using var chain = await DownAsync();
        ThreadPool.GetMinThreads(out int least, out _);
        int most = Math.Max(1, least / 2);
        Task<HttpResponseMessage> SendOnPool() => Task.Run(() => chain.Client.Send(Chain.Get(), TestContext.Current.CancellationToken));
        Task<HttpResponseMessage>[] waiting = [.. Enumerable.Range(0, most).Select(_ => SendOnPool())];
        await UntilAsync(() => HostOf(chain).Places.Taken == most);

        await Should.ThrowAsync<CircuitOpenException>(SendOnPool);
        // One of its own thread waits.
        var other = chain.GetAsync(async: false);
        await UntilAsync(() => HostOf(chain).Places.Taken == most + 1);
        chain.Services.GetRequiredService<ICircuits>().Isolate(Chain.Name, Api);

        foreach (var call in waiting.Append(other))
            await Should.ThrowAsync<CircuitOpenException>(() => call);
        ShouldHaveNothingLeft(chain);
    }

    private static async Task<Chain> DownAsync(Action<HttpResilienceOptions>? configure = null, Action<IServiceCollection>? services = null)
    {
        var chain = new Chain(
            o =>
            {
                o.Retry.MaxRetryAttempts = 0;
                configure?.Invoke(o);
            },
            services: services);
        chain.Server.Replace(Outcome.Status(200));
        await chain.GetAsync();
        chain.Trip();
        chain.Server.Replace(Outcome.Status(503));
        return chain;
    }

    private static HostState HostOf(Chain chain) => chain.State.Hosts.Find(new(new HttpAuthority(Api), null))!;

    private static CircuitState StateOf(Chain chain) => HostOf(chain).Circuit.State;

    private static void ShouldHaveNothingLeft(Chain chain)
    {
        HostOf(chain).Places.Taken.ShouldBe(0);
        chain.State.Hosts.All.ShouldAllBe(h => h.Queue == null || h.Queue.IsEmpty);
    }

    private sealed class Lifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }

    /// <summary>Real time, in which no timer fires, as when all threads of the pool are blocked.</summary>
    private sealed class TimeWithoutTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) is { } timer ? new Dead(timer) : null!;

        private sealed class Dead(ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
