using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Http;

/// <summary>
/// Contents of all kinds over a connection that fails at any byte: the bytes are the same on every attempt, or the call ends with
/// <see cref="StopReason.BodyNotReplayable"/>. No call hangs, no exception stays unobserved, and all memory is returned.
/// HTTPRESILIENCE_FUZZED_BODIES is the number of calls (default 2,000); HTTPRESILIENCE_FUZZ_SEED repeats those of a run.
/// </summary>
[Collection(Telemetry.Alone.Name)]
public sealed class BodyFuzzTests(ITestOutputHelper output)
{
    private const int MaxReplayBytes = 20_000;
    private const int MaxLength = 40_000;
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private static int Bodies { get; } = Setting("HTTPRESILIENCE_FUZZED_BODIES") ?? 2000;

    [Fact]
    public async Task The_bytes_are_the_same_on_every_attempt_or_the_body_is_not_sent_again()
    {
        int seed = Setting("HTTPRESILIENCE_FUZZ_SEED") ?? Random.Shared.Next();
        output.WriteLine($"seed {seed}, {Bodies} bodies");
        int unobserved = 0;
        void Count(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            if (e.Exception.ToString().Contains(FuzzedBody.Marker, StringComparison.Ordinal))
                Interlocked.Increment(ref unobserved);
        }

        TaskScheduler.UnobservedTaskException += Count;
        var tally = new Dictionary<string, int>();
        try
        {
            const int Lanes = 4;
            var lanes = await Task.WhenAll(Enumerable.Range(0, Lanes).Select(
                lane => Task.Run(() => RunAsync(seed, lane, Bodies / Lanes), TestContext.Current.CancellationToken)));
            foreach (var (key, count) in lanes.SelectMany(t => t))
                tally[key] = tally.GetValueOrDefault(key) + count;
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Count;
        }

        output.WriteLine(string.Join(", ", tally.OrderBy(t => t.Key).Select(t => $"{t.Key} {t.Value}")));
        unobserved.ShouldBe(0, $"seed {seed}");
        // Else the cases are so wild that nothing was tested.
        foreach (string key in new[] { "Succeeded", "BodyNotReplayable", "DeadlinePassed", "repeated", "recorded" })
            tally.GetValueOrDefault(key).ShouldBeGreaterThan(Bodies / 100, $"{key}, seed {seed}");
    }

    private static async Task<Dictionary<string, int>> RunAsync(int seed, int lane, int count)
    {
        var random = new Random(seed + lane);
        var tally = new Dictionary<string, int>();
        Attempts attempts = new(random);
        using var chain = new Chain(
            o =>
            {
                (o.Retry.MaxReplayBodyBytes, o.Retry.Delay, o.Retry.Budget.RetryRatio) = (MaxReplayBytes, TimeSpan.Zero, null);
                (o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.FailureRatio) = (int.MaxValue, null);
                o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(100);
                o.AttemptTimeout.Timeout = lane % 2 == 0 ? null : TimeSpan.FromSeconds(30);
                o.Retry.MaxReplayBytesInFlight = lane == 3 ? 16_384 : int.MaxValue;
            },
            b => b.ConfigurePrimaryHttpMessageHandler(() => attempts));
        // A client of its own would keep its first handler.
        for (int i = 0; i < count; i++)
        {
            var body = new FuzzedBody(random, MaxLength, () => _ = Task.Run(() => chain.Clock.Advance(TimeSpan.FromSeconds(30))));
            string about = $"seed {seed}, lane {lane}, body {i}: {body}";
            attempts.Begin(body);
            bool isValue = RequestBody.IsValue(body.Content);
            bool async = random.Next(4) != 0;
            string? key = random.Next(8) == 0 ? $"{lane}-{i}" : null;

            HttpCall call;
            try
            {
                using var scope = key is null ? null : HttpCallScope.Begin(new() { IdempotencyKey = key });
                using var pump = new CancellationTokenSource();
                var sending = chain.SendAsync(async, new(HttpMethod.Put, "files") { Content = body.Content });
                while (await Task.WhenAny(sending, Task.Delay(body.IsBroken ? 5 : 5000)) != sending)
                {
                    if (body.IsBroken)
                        chain.Clock.Advance(TimeSpan.FromSeconds(30));
                    else if (attempts.Elapsed > Hang)
                        throw new TimeoutException(about);
                }

                using var response = await sending;
                call = response.GetHttpCall()!;
            }
            catch (Exception e) when (e is not TimeoutException && e.GetHttpCall() is { } failed)
            {
                call = failed;
                if (!body.IsBroken && e.ToString().Contains("written twice", StringComparison.Ordinal))
                    Assert.Fail($"{about}\n{e}");
            }

            attempts.Check(call, $"{about}, {(async ? "async" : "sync")}, key {key}: {call.StopReason}, {call.AttemptCount} attempts");
            string reason = call.StopReason.ToString();
            tally[reason] = tally.GetValueOrDefault(reason) + 1;
            tally["repeated"] = tally.GetValueOrDefault("repeated") + (call.AttemptCount > 1 ? 1 : 0);
            tally["recorded"] = tally.GetValueOrDefault("recorded") + (isValue ? 0 : 1);
        }

        var memory = chain.State.Get<ReplayMemory>()!;
        for (int i = 0; memory.InFlight != 0 && i < 1000; i++)
            await Task.Delay(10);
        memory.InFlight.ShouldBe(0, $"seed {seed}, lane {lane}");
        return tally;
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>The connections of one call after another: each breaks, refuses or responds at random.</summary>
    private sealed class Attempts(Random random) : HttpMessageHandler
    {
        private readonly List<(byte[] Bytes, bool IsWhole)> _sent = [];
        private FuzzedBody? _body;
        private int _seed;
        private long _startedAt;

        internal TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_startedAt);

        internal void Begin(FuzzedBody body)
        {
            lock (_sent)
                _sent.Clear();
            (_body, _seed, _startedAt) = (body, random.Next(), TimeProvider.System.GetTimestamp());
        }

        internal void Check(HttpCall call, string about)
        {
            lock (_sent)
            {
                foreach (var (bytes, isWhole) in _sent)
                {
                    if (!_body!.Expected.AsSpan().StartsWith(bytes))
                        Assert.Fail($"{about}: other bytes");
                    if (isWhole && bytes.Length != _body.Expected.Length)
                        Assert.Fail($"{about}: {bytes.Length} bytes were all");
                }

                if (call.StopReason is StopReason.Succeeded && !_sent[^1].IsWhole)
                    Assert.Fail($"{about}: success without a body");
                if (call.StopReason is StopReason.BodyNotReplayable && RequestBody.IsValue(_body!.Content))
                    Assert.Fail($"{about}: a value");
            }
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync(request, async: true, cancellationToken);

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync(request, async: false, cancellationToken).GetAwaiter().GetResult();

        private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool async, CancellationToken cancellationToken)
        {
            var local = new Random(++_seed);
            int outcome = local.Next(10);
            if (outcome == 0)
                throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");

            using var wire = new BreakingStream(outcome == 1 ? local.Next(_body!.Expected.Length + 1) : int.MaxValue);
            bool isWhole = false;
            try
            {
                if (async)
                    await request.Content!.CopyToAsync(wire, cancellationToken);
                else
                    request.Content!.CopyTo(wire, null, cancellationToken);
                isWhole = true;
            }
            finally
            {
                lock (_sent)
                    _sent.Add((wire.ToArray(), isWhole));
            }

            return outcome switch
            {
                2 or 3 => new(HttpStatusCode.ServiceUnavailable) { RequestMessage = request },
                4 => new(HttpStatusCode.TooManyRequests) { RequestMessage = request },
                5 => throw new HttpRequestException("Cut.", new IOException("Connection reset")),
                _ => new(HttpStatusCode.OK) { RequestMessage = request },
            };
        }
    }

    private sealed class BreakingStream(int after) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return default;
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Length + buffer.Length <= after)
            {
                base.Write(buffer);
                return;
            }

            base.Write(buffer[..(int)Math.Max(0, after - Length)]);
            throw new IOException("Connection reset");
        }
    }
}
