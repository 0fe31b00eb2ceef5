using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>A pool of <see cref="AttemptTimer"/>s.</summary>
internal sealed class AttemptTimers(TimeProvider time)
{
    private const int MaxKept = 16_384;

    private readonly ConcurrentQueue<AttemptTimer> _kept = new();
    // Another clock may be one that only a test moves.
    private readonly TimerWatch? _watch = time == TimeProvider.System ? new() : null;
    private AttemptTimer? _first;
    private int _keptCount;

    /// <param name="async">False when the call blocks its thread.</param>
    internal AttemptTimer Rent(bool async, CancellationToken caller)
    {
        AttemptTimer timer = Interlocked.Exchange(ref _first, null) ?? Dequeue() ?? new AttemptTimer(time);
        timer.IsBlocking = !async;
        if (!async)
            _watch?.Begin(timer);
        timer.Link(caller);
        return timer;
    }

    /// <summary>Returns a timer to the pool. A timer that was cancelled, or may be at any moment, is discarded.</summary>
    internal void Return(AttemptTimer timer)
    {
        bool inTime = timer.Stop();
        // TryReset also removes registrations that inner handlers have left behind: the next call must not trigger them.
        if (timer.Unlink() && inTime && timer.TryReset() && Keep(timer))
            return;
        Drop(timer);
    }

    /// <summary>Stops a timer whose token must never be cancelled again.</summary>
    internal void Discard(AttemptTimer timer)
    {
        timer.Stop();
        timer.Unlink();
        Drop(timer);
    }

    /// <summary>Replaces an expired timer for the next attempt of the same call.</summary>
    internal AttemptTimer Exchange(AttemptTimer expired, CancellationToken caller)
    {
        var fresh = Rent(async: !expired.IsBlocking, caller);
        Return(expired);
        return fresh;
    }

    private void Drop(AttemptTimer timer)
    {
        _watch?.Remove(timer);
        timer.Discard();
    }

    private AttemptTimer? Dequeue()
    {
        if (!_kept.TryDequeue(out var timer))
            return null;
        Interlocked.Decrement(ref _keptCount);
        return timer;
    }

    private bool Keep(AttemptTimer timer)
    {
        if (Interlocked.CompareExchange(ref _first, timer, null) is null)
            return true;
        if (Interlocked.Increment(ref _keptCount) > MaxKept)
        {
            Interlocked.Decrement(ref _keptCount);
            return false;
        }

        _kept.Enqueue(timer);
        return true;
    }
}
