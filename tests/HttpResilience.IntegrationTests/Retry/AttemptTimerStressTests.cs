using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>The cancellation sources of calls are pooled: no call may feel the end of another.</summary>
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
        // Else there was no race.
        ends.Keys.ShouldBe([StopReason.Succeeded, StopReason.AttemptsExhausted, StopReason.Cancelled], ignoreOrder: true);
        ends.Values.Sum().ShouldBe(calls);
    }

    [Fact]
    public async Task What_a_handler_has_left_behind_on_its_token_does_not_hear_of_the_next_call()
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
    public async Task A_caller_that_cancels_after_its_call_has_ended_ends_no_other()
    {
        var gate = new TaskCompletionSource<HttpResponseMessage>();
        bool waits = false;
        await using var client = Client(new DelegateHandler(token => waits ? gate.Task.WaitAsync(token) : Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK))));
        using var first = new CancellationTokenSource();
        (await client.Client.SendAsync(Mode.Async, Sending.Get("http://localhost/"), caller: first.Token)).Dispose();
        waits = true;

        var second = client.Client.SendAsync(Mode.Async, Sending.Get("http://localhost/"));
        await first.CancelAsync();
        gate.SetResult(new HttpResponseMessage(HttpStatusCode.OK));

        using var response = await second;
        response.ShouldHaveSucceeded(attempts: 1);
    }

    // An attempt that the chain's timer ended was over time: by the chain's own measure, which begins before the handler is asked.
    private static void Check(HttpCall? call, CancellationTokenSource caller, int seed, ConcurrentQueue<string> violations)
    {
        if (call is null)
            return;
        foreach (var attempt in call.Attempts.Where(a => a.FailureClass is FailureClass.Transient && a.Elapsed < AttemptTimeout))
            violations.Enqueue($"ended after {attempt.Elapsed}, seed {seed}");
        if (call.FailureClass is FailureClass.Cancelled && !caller.IsCancellationRequested)
            violations.Enqueue($"cancelled by another's caller, seed {seed}");
    }

    private static ResilientClientUnderTest Client(HttpMessageHandler handler, Action<HttpResilienceOptions>? configure = null) =>
        new(configure: configure, build: b => b.ConfigurePrimaryHttpMessageHandler(() => handler));

    /// <summary>Answers at about the time at which the attempt times out; looks at what ends it.</summary>
    private sealed class RacingHandler(int seed, ConcurrentQueue<string> violations) : HttpMessageHandler
    {
        private int _count;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var random = new Random(seed + Interlocked.Increment(ref _count));
            if (cancellationToken.IsCancellationRequested && Stopwatch.GetElapsedTime(HttpCall.Of(request).AttemptStartedAt) < AttemptTimeout && HttpCall.Of(request).AttemptTimedOut)
                violations.Enqueue($"timed out when it began, seed {seed}");
            await Task.Delay(random.Next(10), random.Next(2) == 0 ? cancellationToken : CancellationToken.None);
            return new HttpResponseMessage(HttpStatusCode.OK);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync(request, cancellationToken).GetAwaiter().GetResult();
    }

    private sealed class DelegateHandler(Func<CancellationToken, Task<HttpResponseMessage>> send) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => send(cancellationToken);
    }
}
