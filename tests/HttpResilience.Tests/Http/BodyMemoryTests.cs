using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Http;

/// <summary>
/// Many uploads at once hold no more memory than <c>Retry:MaxReplayBytesInFlight</c>. HTTPRESILIENCE_UPLOADS is their number (default 300).
/// </summary>
[Collection(Telemetry.Alone.Name)]
public sealed class BodyMemoryTests(ITestOutputHelper output)
{
    private const int Length = 1024 * 1024;
    // Of a call with its content and its connection, without its record.
    private const int BytesPerCall = 40_000;

    private static int Uploads { get; } =
        Environment.GetEnvironmentVariable("HTTPRESILIENCE_UPLOADS") is { } n ? int.Parse(n, CultureInfo.InvariantCulture) : 300;

    [Fact]
    public async Task Uploads_at_once_stay_within_the_memory_for_records()
    {
        // A quarter of the uploads can be recorded, up to the default.
        int bound = (int)Math.Min(256L * Length, (long)Uploads * Length / 4);
        byte[] block = new byte[64 * 1024];
        var gate = new Gate(Uploads);
        using var chain = new Chain(
            o => (o.Retry.MaxReplayBytesInFlight, o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (bound, null, null),
            b => b.ConfigurePrimaryHttpMessageHandler(() => gate));
        (await chain.SendAsync(true, Chain.Get())).Dispose();
        var memory = chain.State.GetOrAdd(static () => new ReplayMemory());
        long before = GC.GetTotalMemory(forceFullCollection: true);

        var sending = Task.WhenAll(Enumerable.Range(0, Uploads).Select(_ => chain.SendAsync(true, Chain.Post(new PushedContent(
            async (stream, token) =>
            {
                for (int left = Length; left > 0; left -= block.Length)
                    await stream.WriteAsync(block, token);
            })))));
        await gate.AllHaveBegun.WaitAsync(TestContext.Current.CancellationToken);
        // Records grow until the bound is reached.
        while (memory.InFlight < bound * 0.9)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        long inFlight = memory.InFlight;
        long used = GC.GetTotalMemory(forceFullCollection: true) - before;
        gate.Open();
        var responses = await sending;

        output.WriteLine($"{Uploads} uploads of {Length} bytes: {inFlight} bytes recorded, {used} used, {bound} allowed");
        inFlight.ShouldBeLessThanOrEqualTo(bound);
        used.ShouldBeLessThan(bound + (long)Uploads * BytesPerCall);
        gate.Received.ShouldBe((long)Uploads * Length);
        responses.ShouldAllBe(r => r.StatusCode == HttpStatusCode.OK);
        while (memory.InFlight > 0)
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    /// <summary>Connections that send nothing before all have begun.</summary>
    private sealed class Gate(int calls) : HttpMessageHandler
    {
        private readonly TaskCompletionSource _allHaveBegun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly int _calls = calls;
        private int _begun;
        private long _received;

        internal Task AllHaveBegun => _allHaveBegun.Task;

        internal long Received => Volatile.Read(ref _received);

        internal void Open() => _open.SetResult();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content is { } content)
                await content.CopyToAsync(new Connection(this), cancellationToken);
            return new(HttpStatusCode.OK);
        }

        private sealed class Connection(Gate gate) : MemoryStream
        {
            private bool _hasBegun;

            public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            {
                if (!_hasBegun && Interlocked.Increment(ref gate._begun) == gate._calls)
                    gate._allHaveBegun.SetResult();
                _hasBegun = true;
                await gate._open.Task.WaitAsync(cancellationToken);
                Interlocked.Add(ref gate._received, buffer.Length);
            }
        }
    }
}
