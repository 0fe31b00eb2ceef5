using System.Collections.Concurrent;
using System.Net;

namespace HttpResilience.Tests.Http;

/// <summary>
/// <see cref="HttpClient.Send(HttpRequestMessage)"/> on a thread that content wants to come back to, such as that of a window.
/// </summary>
public sealed class BlockedThreadTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);

    private static readonly bool[] Both = [true, false];

    public static TheoryData<bool, KeySource, bool, bool> Calls =>
    [
        .. from async in Both
           from source in Enum.GetValues<KeySource>()
           from isScoped in Both
           from isStream in Both
           select (async, source, isScoped, isStream),
    ];

    [Theory, MemberData(nameof(Calls))]
    public async Task A_body_that_comes_back_to_the_blocked_thread_does_not_hang_the_call(
        bool async, KeySource source, bool isScoped, bool isStream)
    {
        using var chain = new Chain(o => o.Idempotency.KeySource = source);
        chain.Client.Timeout = Timeout.InfiniteTimeSpan;
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new OneThread());
            try
            {
                using var scope = isScoped ? HttpCallScope.Begin(new() { IdempotencyKey = "mine" }) : null;
                var request = Chain.Post(isStream ? new StreamContent(new StreamOfItsContext()) : new ContentOfItsContext());
                using var response = async ? chain.Client.SendAsync(request).GetAwaiter().GetResult() : chain.Client.Send(request);
                sent.SetResult();
            }
            catch (Exception e)
            {
                sent.SetException(e);
            }
        });

        thread.IsBackground = true;
        thread.Start();

        await sent.Task.WaitAsync(Hang, TestContext.Current.CancellationToken);
        chain.Server.Requests[0].Text.ShouldBe("abc");
    }

    /// <summary>Runs what is posted when its thread comes to it, and that waits.</summary>
    private sealed class OneThread : SynchronizationContext
    {
        private readonly ConcurrentQueue<(SendOrPostCallback, object?)> _posted = new();

        public override void Post(SendOrPostCallback d, object? state) => _posted.Enqueue((d, state));
    }

    private sealed class StreamOfItsContext() : MemoryStream("abc"u8.ToArray())
    {
        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            await Task.Yield();
            await base.CopyToAsync(destination, bufferSize, cancellationToken);
        }
    }

    private sealed class ContentOfItsContext : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // As applications write it: without ConfigureAwait(false).
            await Task.Yield();
            await stream.WriteAsync("abc"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 3;
            return true;
        }
    }
}
