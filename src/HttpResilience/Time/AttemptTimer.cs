namespace HttpResilience;

/// <summary>
/// The cancellation source of a call: the caller's token and the timeout of the current attempt cancel it. Pooled by
/// <see cref="AttemptTimers"/>.
/// </summary>
/// <remarks>
/// The platform's timer keeps running when an attempt ends in time, and <see cref="_due"/> is checked when it fires: a call then costs two
/// interlocked writes instead of two changes to a timer queue.
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

    /// <summary>The attempt has timed out. False after a cancellation by the caller.</summary>
    internal bool HasExpired => Volatile.Read(ref _due) == Expired;

    /// <summary>An attempt is running and has not timed out.</summary>
    internal bool IsRunning => Volatile.Read(ref _due) is not (Idle or Expired);

    internal long StartedAt { get; private set; }

    /// <summary>An object that its user keeps with it from one call to the next.</summary>
    internal object? Companion { get; set; }

    /// <summary>The call blocks its thread.</summary>
    internal bool IsBlocking { get; set; }

    /// <summary>A <see cref="TimerWatch"/> knows the timer.</summary>
    internal bool IsWatched { get; set; }

    internal void Link(CancellationToken caller) =>
        _caller = caller.UnsafeRegister(static timer => ((AttemptTimer)timer!).Cancel(), this);

    /// <returns>False when the caller's token is being cancelled or was cancelled.</returns>
    internal bool Unlink() => _caller.Token == default || _caller.Unregister();

    /// <param name="startedAt">The timestamp of the start of the attempt.</param>
    /// <param name="due">The timestamp of its timeout; <see cref="long.MaxValue"/> for none.</param>
    internal void Start(long startedAt, long due)
    {
        StartedAt = startedAt;
        Interlocked.Exchange(ref _due, due);
        if (due < Volatile.Read(ref _timerDue))
            Schedule(due);
    }

    /// <summary>Marks the attempt as timed out, when another token has ended it after its time was over.</summary>
    internal void Expire() => Interlocked.Exchange(ref _due, Expired);

    /// <returns>False when the attempt had timed out before.</returns>
    internal bool Stop()
    {
        long due = Volatile.Read(ref _due);
        return due != Expired && Interlocked.CompareExchange(ref _due, Idle, due) == due;
    }

    /// <summary>Whether a blocking attempt is still running so long after its timeout.</summary>
    internal bool IsOverdue(TimeSpan by) => IsBlocking && IsRunning && time.TimeUntil(Volatile.Read(ref _due)) <= -by;

    /// <summary>Ends the attempt if its time is over.</summary>
    internal void EndIfOverdue()
    {
        long due = Volatile.Read(ref _due);
        if (due is not (Idle or Expired) && due <= time.GetTimestamp() && Interlocked.CompareExchange(ref _due, Expired, due) == due)
            Cancel();
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
            // Rounded up to milliseconds, the unit of the timer, so that it does not fire early.
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(wait.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer()
    {
        // Written before _due is read, while Start writes _due before it reads this: one of the two sees the other.
        lock (_gate)
            _timerDue = Idle;
        Interlocked.MemoryBarrier();

        long due = Volatile.Read(ref _due);
        if (due is not (Idle or Expired) && due > time.GetTimestamp())
            Schedule(due);
        else
            EndIfOverdue();
    }

    private ITimer CreateTimer()
    {
        // The timer outlives the call and must not keep its async locals alive.
        using (AmbientContext.Suppress())
        {
            return time.CreateTimer(
                static timer => ((AttemptTimer)timer!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// Disposes the platform's timer. The source itself is not disposed: <see cref="CancellationTokenSource.Dispose()"/> would make a
    /// concurrent cancellation throw.
    /// </summary>
    internal void Discard() => _timer?.Dispose();
}
