using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>
/// Verifies that a dead letter can be stored, at most every 10 s: all health checks of the process share one probe, whatever their number
/// and frequency.
/// </summary>
internal sealed class StoreProbe(IDeadLetterStore store, TimeProvider time)
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Task<Exception?>? _last;
    private long _startedAt;

    /// <returns>The reason why the store accepts no letter; null when it does. The task does not fail.</returns>
    internal Task<Exception?> FailureAsync()
    {
        lock (_gate)
        {
            if (_last is null || (_last.IsCompleted && time.GetElapsedTime(_startedAt) >= Interval))
            {
                _startedAt = time.GetTimestamp();
                // Not in the context of the first check, nor ended by it: others wait for the same result.
                using (AmbientContext.Suppress())
                    _last = Task.Run(ProbeAsync);
            }

            return _last;
        }
    }

    private async Task<Exception?> ProbeAsync()
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        try
        {
            // On another thread, because a store may block.
            Task probing;
            using (AmbientContext.Suppress())
                probing = Task.Run(() => store.ProbeAsync(timeout.Token), timeout.Token);
            await probing.WaitAsync(timeout.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested)
        {
            return new TimeoutException(
                string.Create(CultureInfo.InvariantCulture, $"The store has not answered in {Timeout.TotalSeconds:0} s."), e);
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
