namespace HttpResilience;

/// <summary>
/// The one cancellation source of a call: the caller's token and the timeout of the attempt in hand both end it. Pooled by
/// <see cref="AttemptTimers"/>.
/// </summary>
/// <remarks>
/// The platform's timer is left running when an attempt ends in time, and looked at again when it fires: a call then costs two interlocked
/// writes, not two changes to a timer queue. <see cref="_due"/> is the truth; the timer only says when to look at it.
/// </remarks>
internal sealed class AttemptTimer(TimeProvider time) : CancellationTokenSource
{
    private const long Idle = long.MaxValue;
    private const long Expired = long.MinValue;

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private long _timerDue = Idle;
    private long _due = Idle;
    private CancellationTokenRegistration _caller;

    /// <summary>The attempt's time is over. Never true for a cancellation by the caller.</summary>
    internal bool HasExpired => Volatile.Read(ref _due) == Expired;

    internal long StartedAt { get; private set; }

    internal void Link(CancellationToken caller) =>
        _caller = caller.UnsafeRegister(static timer => ((AttemptTimer)timer!).Cancel(), this);

    /// <returns>False when the caller's cancellation is running or has run.</returns>
    internal bool Unlink() => _caller.Token == default || _caller.Unregister();

    /// <param name="startedAt">The timestamp at which the attempt begins.</param>
    /// <param name="due">The timestamp at which the attempt's time is over; <see cref="long.MaxValue"/> for never.</param>
    internal void Start(long startedAt, long due)
    {
        StartedAt = startedAt;
        Interlocked.Exchange(ref _due, due);
        if (due < Volatile.Read(ref _timerDue))
            Schedule(due);
    }

    /// <returns>False when the attempt's time was over before.</returns>
    internal bool Stop()
    {
        long due = Volatile.Read(ref _due);
        return due != Expired && Interlocked.CompareExchange(ref _due, Idle, due) == due;
    }

    private void Schedule(long due)
    {
        lock (_gate)
        {
            if (due >= _timerDue)
                return;

            _timerDue = due;
            _timer ??= CreateTimer();
            TimeSpan wait = time.TimeUntil(due);
            // Up to the next millisecond, the timer's own unit, lest it fires early and has to be set again.
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(wait.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer()
    {
        // Written before _due is read, as Start writes _due before it reads this: one of the two sees the other.
        lock (_gate)
            _timerDue = Idle;
        Interlocked.MemoryBarrier();

        long due = Volatile.Read(ref _due);
        if (due is Idle or Expired)
            return;
        if (due > time.GetTimestamp())
            Schedule(due);
        else if (Interlocked.CompareExchange(ref _due, Expired, due) == due)
            Cancel();
    }

    private ITimer CreateTimer()
    {
        // The timer outlives the call, and must not keep the call's async locals alive.
        bool suppress = !ExecutionContext.IsFlowSuppressed();
        AsyncFlowControl flow = suppress ? ExecutionContext.SuppressFlow() : default;
        try
        {
            return time.CreateTimer(
                static timer => ((AttemptTimer)timer!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        finally
        {
            if (suppress)
                flow.Undo();
        }
    }

    /// <summary>
    /// Frees the platform's timer. The source itself is left to the collector: its own <see cref="CancellationTokenSource.Dispose()"/>
    /// would throw at a cancellation that is just beginning on another thread.
    /// </summary>
    internal void Discard() => _timer?.Dispose();
}
