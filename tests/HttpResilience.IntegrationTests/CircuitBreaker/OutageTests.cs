using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HttpResilience.IntegrationTests;

/// <summary>
/// A server that is down for a while under load, over real sockets and with threads of their own. HTTPRESILIENCE_OUTAGE_SECONDS is the
/// length of the outage in the proof of full size: 64 threads and 1,000 calls a second. Default: 1.5 s, 16 threads and 200 calls a second.
/// </summary>
[Collection(nameof(Alone))]
public sealed class OutageTests
{
    private static readonly string? Given = Environment.GetEnvironmentVariable("HTTPRESILIENCE_OUTAGE_SECONDS");
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(double.Parse(Given ?? "1.5", CultureInfo.InvariantCulture));
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);
    private static readonly int Threads = Given is null ? 16 : 64;
    private static readonly double CallsPerSecond = Given is null ? 200 : 1_000;

    private readonly ConcurrentQueue<long> _arrivals = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private volatile bool _isDown;
    private volatile bool _isOver;

    public enum Fault
    {
        Unavailable,
        Refused,
    }

    [Theory]
    [InlineData(Mode.Async, Fault.Unavailable), InlineData(Mode.Sync, Fault.Unavailable)]
    [InlineData(Mode.Async, Fault.Refused), InlineData(Mode.Sync, Fault.Refused)]
    public async Task Calls_wait_out_a_short_outage_in_order_and_return_to_the_host_no_faster_than_the_rule(Mode mode, Fault fault)
    {
        int seed = Random.Shared.Next();
        var server = await StartAsync(Ports.Closed());
        await using var client = NewClient(server.Uri);
        var ended = new ConcurrentQueue<Ended>();
        var requests = new ConcurrentQueue<WeakReference>();
        Task<int>[] threads = [.. Enumerable.Range(0, Threads).Select(i => Task.Factory.StartNew(
            () => Load(client.Client, mode, new(seed + i), ended, requests), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];

        await PassAsync(Outage);
        (_isDown, long downAt) = (true, _time.GetTimestamp());
        if (fault is Fault.Refused)
            await server.DisposeAsync();
        await PassAsync(Outage);
        if (fault is Fault.Refused)
            server = await StartAsync(server.Uri.Port);
        (_isDown, long upAt) = (false, _time.GetTimestamp());
        await PassAsync(Outage);
        _isOver = true;
        int started = (await Task.WhenAll(threads)).Sum();
        await Eventually.BeAsync(() => ended.Count == started);
        await server.DisposeAsync();

        Ended[] calls = [.. ended];
        var host = client.State.Hosts.Find(new(new HttpAuthority(server.Uri), null))!;
        double interval = host.Circuit.Pace / 1.35 / _time.TimestampFrequency;
        Print(seed, mode, fault, calls, downAt, upAt, interval);

        calls.ShouldAllBe(c => c.Reason != StopReason.None);
        // The chain ends a call at its deadline; the rest is how late a busy machine runs it.
        calls.ShouldAllBe(c => c.Elapsed < Deadline + TimeSpan.FromSeconds(5));
        calls.Count(c => c.Waited).ShouldBeGreaterThan(0);
        calls.Count(c => c.Waited && c.Reason == StopReason.Succeeded).ShouldBeGreaterThan(0);
        ShouldBeReleasedInOrder(calls);
        ShouldBeReleasedByTheRule(calls, interval);

        host.Places.Taken.ShouldBe(0);
        (host.Queue is null or { IsEmpty: true }).ShouldBeTrue();
        await Eventually.BeAsync(() => Alive(requests) < 20);
    }

    // The queue's own times, which do not depend on when a thread wakes up. Of a call with one attempt they are known.
    private static IEnumerable<Ended> Released(Ended[] calls) =>
        calls.Where(c => c is { Attempts: 1, ForTurn: > 0 } && c.ForTurn < 5 * TimeProvider.System.TimestampFrequency);

    private static void ShouldBeReleasedInOrder(Ended[] calls)
    {
        // A thread may lose the processor between the start of its call and its place in the queue.
        long slack = TimeProvider.System.TimestampFrequency / 5;
        long latest = 0;
        foreach (var call in Released(calls).OrderBy(c => c.StartedAt))
        {
            call.ReleasedAt.ShouldBeGreaterThan(latest - slack);
            latest = Math.Max(latest, call.ReleasedAt);
        }
    }

    private static void ShouldBeReleasedByTheRule(Ended[] calls, double interval)
    {
        // Late releases are made up for up to 0.1 s; as much again for threads that lose the processor as above.
        const double Slack = 0.2;
        long[] at = [.. Released(calls).Select(c => c.ReleasedAt).Order()];
        for (int first = 0; first < at.Length; first++)
        {
            for (int last = first; last < at.Length; last++)
            {
                double seconds = (at[last] - at[first]) / (double)TimeProvider.System.TimestampFrequency;
                int most = (int)((seconds + Slack) / interval) + 1;
                if (last - first + 1 > most)
                    Assert.Fail($"{last - first + 1} were released within {seconds:0.000} s, the rule allows {most}");
            }
        }
    }

    private void Print(int seed, Mode mode, Fault fault, Ended[] calls, long downAt, long upAt, double interval)
    {
        long second = _time.TimestampFrequency;
        long[] arrivals = [.. _arrivals.Where(a => a >= upAt).Order()];
        int worst = arrivals.Select((a, i) => Array.FindLastIndex(arrivals, b => b < a + second) - i + 1).DefaultIfEmpty().Max();
        var during = calls.Where(c => c.StartedAt >= downAt && c.StartedAt < upAt).ToArray();
        var after = calls.Where(c => c.StartedAt >= upAt).ToArray();
        var waits = calls.Where(c => c.Waited).Select(c => c.Elapsed.TotalSeconds).Order().ToArray();
        string reasons = string.Join(", ", calls.GroupBy(c => c.Reason).Select(g => $"{g.Count()} {g.Key}"));
        int failedDuring = during.Count(c => c.Reason != StopReason.Succeeded);
        int failedAfter = after.Count(c => c.Reason != StopReason.Succeeded);
        var (median, longest) = (waits.ElementAtOrDefault(waits.Length / 2), waits.LastOrDefault());
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            {mode}, {fault}, seed {seed}: {calls.Length} calls: {reasons}
              failed in the outage {failedDuring} of {during.Length}, after it {failedAfter} of {after.Length}
              {waits.Length} waited, {Released(calls).Count()} released in their turn, one each {interval * 1000:0.00} ms
              calls that waited took {median:0.00} s (median), {longest:0.00} s at most
              worst second after it: {worst} arrivals, {worst / CallsPerSecond:0.00} times the load
            """));
    }

    private static int Alive(ConcurrentQueue<WeakReference> requests)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return requests.Count(r => r.IsAlive);
    }

    private async Task<KestrelServer> StartAsync(int port) =>
        await KestrelServer.StartAsync(HttpProtocols.Http1, null, port, [AnswerAsync]);

    private Task AnswerAsync(HttpContext context)
    {
        _arrivals.Enqueue(_time.GetTimestamp());
        context.Response.StatusCode = _isDown ? 503 : 200;
        return Task.CompletedTask;
    }

    private static async Task PassAsync(TimeSpan time) => await Task.Delay(time, TestContext.Current.CancellationToken);

    /// <returns>How many calls were started.</returns>
    private int Load(
        HttpClient client, Mode mode, Random random, ConcurrentQueue<Ended> ended, ConcurrentQueue<WeakReference> requests)
    {
        int started = 0;
        for (double next = 0, from = _time.GetTimestamp(); !_isOver; started++)
        {
            next -= Math.Log(1 - random.NextDouble()) * Threads / CallsPerSecond;
            double left = next - (_time.GetTimestamp() - from) / _time.TimestampFrequency;
            // A synchronous caller that was held up does not make up for it.
            if (left > 0)
                CancellationToken.None.WaitHandle.WaitOne(TimeSpan.FromSeconds(left));
            else if (mode is Mode.Sync)
                next -= left;
            if (mode is Mode.Async)
                _ = Task.Run(() => CallAsync(client, mode, ended, requests));
            else
                CallAsync(client, mode, ended, requests).GetAwaiter().GetResult();
        }

        return started;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task CallAsync(HttpClient client, Mode mode, ConcurrentQueue<Ended> ended, ConcurrentQueue<WeakReference> requests)
    {
        var request = Sending.Get();
        requests.Enqueue(new(request));
        HttpCall? call = null;
        try
        {
            using var response = mode is Mode.Async ? await client.SendAsync(request) : client.Send(request);
            call = response.GetHttpCall();
        }
        catch (Exception e)
        {
            call = e.GetHttpCall();
        }

        ended.Enqueue(call is null ? new(StopReason.None, 0, TimeSpan.Zero, 0, 0, 0) : new(
            call.StopReason, call.StartedAt, call.Elapsed, call.Attempts.Count, call.CircuitWaits?.ToClose ?? 0,
            call.CircuitWaits?.ForTurn ?? 0));
    }

    private static ResilientClientUnderTest NewClient(Uri uri) => new(uri, options =>
    {
        var defaults = new HttpResilienceOptions();
        (options.Retry.Delay, options.Retry.BackoffType, options.Retry.UseJitter) =
            (defaults.Retry.Delay, defaults.Retry.BackoffType, defaults.Retry.UseJitter);
        options.Retry.Budget.RetryRatio = defaults.Retry.Budget.RetryRatio;
        (options.TotalRequestTimeout.Timeout, options.AttemptTimeout.Timeout) = (Deadline, TimeSpan.FromSeconds(5));
        (options.CircuitBreaker.FailureThreshold, options.CircuitBreaker.FailureRatio) =
            (defaults.CircuitBreaker.FailureThreshold, defaults.CircuitBreaker.FailureRatio);
        // So that more wait than can go in a moment.
        options.CircuitBreaker.MaxWaiting = 500;
    });

    /// <param name="ToClose">How long it has waited for the circuit to close, in timestamp ticks.</param>
    /// <param name="ForTurn">How long it has waited for its turn afterwards.</param>
    private sealed record Ended(StopReason Reason, long StartedAt, TimeSpan Elapsed, int Attempts, long ToClose, long ForTurn)
    {
        internal bool Waited => ToClose + ForTurn > 0;

        internal long ReleasedAt => StartedAt + ToClose + ForTurn;
    }
}
