using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>Keeps <see cref="AttemptTimer"/>s that no call uses for the next ones.</summary>
internal sealed class AttemptTimers(TimeProvider time)
{
    private const int MaxKept = 1024;

    private readonly ConcurrentQueue<AttemptTimer> _kept = new();
    private AttemptTimer? _first;
    private int _keptCount;

    internal AttemptTimer Rent(CancellationToken caller)
    {
        AttemptTimer timer = Interlocked.Exchange(ref _first, null) ?? Dequeue() ?? new AttemptTimer(time);
        timer.Link(caller);
        return timer;
    }

    /// <summary>Takes a timer back. One that was cancelled, or that may be any moment, is not used again.</summary>
    internal void Return(AttemptTimer timer)
    {
        bool inTime = timer.Stop();
        // TryReset also drops what inner handlers registered and left behind: it must not hear of the next call's end.
        if (timer.Unlink() && inTime && timer.TryReset() && Keep(timer))
            return;
        timer.Discard();
    }

    /// <summary>Gives a fresh timer for the next attempt of the same call.</summary>
    internal AttemptTimer Exchange(AttemptTimer expired, CancellationToken caller)
    {
        var fresh = Rent(caller);
        Return(expired);
        return fresh;
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
