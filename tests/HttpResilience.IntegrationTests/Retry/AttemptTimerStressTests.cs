using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>The cancellation sources of calls are pooled, so no call may be cancelled by the end of another.</summary>
[Collection(nameof(Alone))]
public sealed class AttemptTimerStressTests
{
    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromMilliseconds(5);

    [Theory, InlineData(Mode.Async, 20_000, 64), InlineData(Mode.Sync, 2_000, 16)]
    public async Task No_call_is_ended_by_the_timeout_or_the_caller_of_another(Mode mode, int calls, int concurrency)
    {
        int seed = Environment.TickCount;
        var violations = new ConcurrentQueue<string>();
        var ends = new ConcurrentDictionary<StopReason, int>();
        await using var client = Client(new RacingHandler(seed, violations), options =>
        {
            options.AttemptTimeout.Timeout = AttemptTimeout;
            options.Retry.MaxRetryAttempts = 1;
            options.Retry.Delay = TimeSpan.Zero;
        });

        await Parallel.ForAsync(0, calls, new ParallelOptions { MaxDegreeOfParallelism = concurrency }, async (number, _) =>
        {
            var random = new Random(seed + number);
            using var caller = new CancellationTokenSource();
            if (random.Next(4) == 0)
                caller.CancelAfter(random.Next(12));
            try
            {
                using var response = await client.Client.SendAsync(mode, Sending.Get("http://localhost/"), caller: caller.Token);
                Check(response.GetHttpCall()!, caller, seed, violations);
                ends.AddOrUpdate(StopReason.Succeeded, 1, (_, n) => n + 1);
            }
            catch (TaskCanceledException e)
            {
                Check(e.GetHttpCall(), caller, seed, violations);
                bool timedOut = e.InnerException is TimeoutException;
                if (!timedOut && !caller.IsCancellationRequested)
                    violations.Enqueue($"cancelled by nobody, seed {seed}: {e}");
                ends.AddOrUpdate(timedOut ? StopReason.AttemptsExhausted : StopReason.Cancelled, 1, (_, n) => n + 1);
            }
        });

        violations.ShouldBeEmpty();
        // Otherwise there was no race.
        ends.Keys.ShouldBe([StopReason.Succeeded, StopReason.AttemptsExhausted, StopReason.Cancelled], ignoreOrder: true);
        ends.Values.Sum().ShouldBe(calls);
    }

    [Fact]
    public async Task A_registration_left_on_the_token_of_a_call_is_not_run_by_the_next_call()
    {
        int heard = 0;
        bool silent = false;
        await using var client = Client(
            new DelegateHandler(async cancellationToken =>
            {
                if (silent)
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                cancellationToken.Register(() => heard++);
                return new HttpResponseMessage(HttpStatusCode.OK);
            }),
            options =>
            {
                options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(200);
                options.Retry.MaxRetryAttempts = 0;
            });

        for (int call = 0; call < 3; call++)
            (await client.Client.SendAsync(Mode.Async, Sending.Get("http://localhost/"))).Dispose();
        silent = true;
        await client.Client.FailAsync<TaskCanceledException>(Mode.Async, Sending.Get("http://localhost/"));

        heard.ShouldBe(0);
    }

    [Fact]
    public async Task A_cancellation_after_the_end_of_a_call_ends_no_other_call()
    {
        var gate = new TaskCompletionSource<HttpResponseMessage>();
        bool waits = false;
        await using var client = Client(
            new DelegateHandler(token => waits ? gate.Task.WaitAsync(token) : Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK))));
        using var first = new CancellationTokenSource();
        (await client.Client.SendAsync(Mode.Async, Sending.Get("http://localhost/"), caller: first.Token)).Dispose();
        waits = true;

        var second = client.Client.SendAsync(Mode.Async, Sending.Get("http://localhost/"));
        await first.CancelAsync();
        gate.SetResult(new HttpResponseMessage(HttpStatusCode.OK));

        using var response = await second;
        response.ShouldHaveSucceeded(attempts: 1);
    }

    [Fact]
    public async Task The_timer_of_an_ended_call_is_collected_while_the_token_of_its_caller_lives_on()
    {
        List<WeakReference> timers = [];
        await using var client = Client(
            new DelegateHandler(async cancellationToken =>
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return new HttpResponseMessage(HttpStatusCode.OK);
            }),
            options => options.AttemptTimeout.Timeout = AttemptTimeout,
            build: b => b.AddAttemptHandler(r => timers.Add(new WeakReference(HttpCall.Of(r).Timer))));
        using var caller = new CancellationTokenSource();

        // Without HttpClient, which creates a token for each call.
        using var invoker = new HttpMessageInvoker(client.Get<IHttpMessageHandlerFactory>().CreateHandler(ResilientClientUnderTest.Name));
        await Sending.FailureOf<TaskCanceledException>(invoker.SendAsync(Sending.Get("http://localhost/"), caller.Token));

        timers.Count.ShouldBe(4);
        await Eventually.BeAsync(() =>
        {
            GC.Collect();
            return timers.All(t => !t.IsAlive);
        });
        GC.KeepAlive(caller);
    }

    // The duration of a timed-out attempt as the chain measures it, which starts before the handler is called.
    private static void Check(HttpCall? call, CancellationTokenSource caller, int seed, ConcurrentQueue<string> violations)
    {
        if (call is null)
            return;
        foreach (var attempt in call.Attempts.Where(a => a.FailureClass is FailureClass.Transient && a.Elapsed < AttemptTimeout))
            violations.Enqueue($"ended after {attempt.Elapsed}, seed {seed}");
        if (call.FailureClass is FailureClass.Cancelled && !caller.IsCancellationRequested)
            violations.Enqueue($"cancelled by another's caller, seed {seed}");
    }

    private static ResilientClientUnderTest Client(
        HttpMessageHandler handler, Action<HttpResilienceOptions>? configure = null, Action<IHttpClientBuilder>? build = null) =>
        new(configure: configure, build: b =>
        {
            b.ConfigurePrimaryHttpMessageHandler(() => handler);
            build?.Invoke(b);
        });

    /// <summary>Answers at about the time of the attempt timeout and records which of the two came first.</summary>
    private sealed class RacingHandler(int seed, ConcurrentQueue<string> violations) : HttpMessageHandler
    {
        private int _count;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var random = new Random(seed + Interlocked.Increment(ref _count));
            if (cancellationToken.IsCancellationRequested
                && Stopwatch.GetElapsedTime(HttpCall.Of(request).AttemptStartedAt) < AttemptTimeout && HttpCall.Of(request).AttemptTimedOut)
                violations.Enqueue($"timed out when it began, seed {seed}");
            await Task.Delay(random.Next(10), random.Next(2) == 0 ? cancellationToken : CancellationToken.None);
            return new HttpResponseMessage(HttpStatusCode.OK);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync(request, cancellationToken).GetAwaiter().GetResult();
    }

    private sealed class DelegateHandler(Func<CancellationToken, Task<HttpResponseMessage>> send) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            send(cancellationToken);
    }
}
