using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// The durable copy of the cached responses. Writes run in the background; a read has a short timeout. A failing store does not change the
/// result of any call.
/// </summary>
internal sealed partial class DurableFallbackCache(IFallbackStore store, TimeProvider time, ILoggerFactory loggers)
    : IDisposable, IAsyncDisposable
{
    internal const string LogCategory = "HttpResilience.FallbackArchive";

    private const int MaxWaiting = 1024;
    private const int MaxConcurrency = 64;

    /// <summary>The timeout of a read.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromMilliseconds(250);

    // For pending writes at the end of the process.
    private static readonly TimeSpan LastTimeout = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = loggers.CreateLogger(LogCategory);
    private readonly Channel<Change> _changes = Channel.CreateBounded<Change>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    private readonly CancellationTokenSource _stopped = new();
    private Task? _writing;

    /// <summary>The time before the deadline at which attempts end, so that the store can still be read, in timestamp ticks.</summary>
    internal static long ReserveOf(ResiliencePolicy policy) =>
        policy.TotalRequestTimeout is { } total ? policy.ToTimestamp(total / 10 < ReadTimeout ? total / 10 : ReadTimeout) : 0;

    internal void Save(string clientName, FallbackResponse response, long maxBytes) =>
        Write(new(clientName, response.Resource, response.Variant, response, maxBytes));

    /// <param name="variant">Null for all.</param>
    internal void Remove(string clientName, string resource, string? variant) =>
        Write(new(clientName, resource, variant, Response: null, MaxBytes: 0));

    /// <returns>Null when there is none, or the store does not answer in time.</returns>
    internal async ValueTask<FallbackResponse?> FindAsync(
        Client client, HttpCall call, string resource, string variant, bool async, CancellationToken cancellationToken)
    {
        long now = time.GetTimestamp();
        var timer = client.Timers.Rent(async, cancellationToken);
        try
        {
            timer.Start(now, Math.Min(now + call.Policy.ToTimestamp(ReadTimeout), call.Deadline));
            // Ends in time also when the store does not observe the token.
            var finding = store.FindAsync(client.Name, resource, variant, timer.Token).WaitAsync(timer.Token);
            return async ? await finding.ConfigureAwait(false) : finding.GetAwaiter().GetResult();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            NotFound(_logger, e, client.Name);
            return null;
        }
        finally
        {
            client.Timers.Return(timer);
        }
    }

    private void Write(Change change)
    {
        if (Volatile.Read(ref _writing) is null)
            Start();
        _changes.Writer.TryWrite(change);
    }

    private void Start()
    {
        lock (_changes)
        {
            using (AmbientContext.Suppress())
                _writing ??= Task.Run(WriteAsync);
        }
    }

    private async Task WriteAsync()
    {
        List<Change> together = [];
        while (await _changes.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (_changes.Reader.TryRead(out var change))
                together.Add(change);
            for (int first = 0, next; first < together.Count; first = next)
            {
                next = first + 1;
                while (next < together.Count && next - first < MaxConcurrency && together[next].IsSavedWith(together[first]))
                    next++;
                await WriteAsync(together[first..next]).ConfigureAwait(false);
            }

            together.Clear();
        }
    }

    private async Task WriteAsync(IReadOnlyList<Change> changes)
    {
        var first = changes[0];
        try
        {
            if (first.Response is null)
                await store.RemoveAsync(first.ClientName, first.Resource, first.Variant, _stopped.Token).ConfigureAwait(false);
            else
                await store.SaveAsync(first.ClientName, LastOfEach(changes), changes[^1].MaxBytes, _stopped.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            NotWritten(_logger, e, first.ClientName, changes.Count);
        }
    }

    private static List<FallbackResponse> LastOfEach(IEnumerable<Change> changes) =>
        [.. changes.Select(c => c.Response!).GroupBy(r => (r.Resource, r.Variant)).Select(same => same.Last())];

    /// <summary>Waits a short time for pending writes.</summary>
    public async ValueTask DisposeAsync()
    {
        _changes.Writer.TryComplete();
        if (Volatile.Read(ref _writing) is { } writing)
        {
            await writing.WaitAsync(LastTimeout, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _stopped.CancelAsync().ConfigureAwait(false);
        }
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    [LoggerMessage(531, LogLevel.Debug, "{ClientName}: the fallback store could not be read")]
    private static partial void NotFound(ILogger logger, Exception exception, string clientName);

    [LoggerMessage(532, LogLevel.Debug, "{ClientName}: {Count} changes of cached responses could not be stored")]
    private static partial void NotWritten(ILogger logger, Exception exception, string clientName, int count);

    /// <param name="Variant">Null for all of the resource.</param>
    /// <param name="Response">Null to remove the stored response.</param>
    private sealed record Change(string ClientName, string Resource, string? Variant, FallbackResponse? Response, long MaxBytes)
    {
        internal bool IsSavedWith(Change other) => Response is not null && other.Response is not null && ClientName == other.ClientName;
    }
}
