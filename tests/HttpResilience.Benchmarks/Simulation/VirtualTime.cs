namespace HttpResilience.Simulation;

/// <summary>
/// A clock for simulations: it runs everything that is due now, then jumps to the next due time. Everything runs on one thread,
/// so equal seeds give equal runs. Timestamps count ticks of 100 ns.
/// </summary>
internal sealed class VirtualTime : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2030, 1, 2, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<(VirtualTimer Timer, int Setting), (long Due, long Number)> _queue = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _now;
    private long _number;

    internal TimeSpan Elapsed => TimeSpan.FromTicks(_now);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    // Not zero, because the chain treats timestamp zero as "not started".
    public override long GetTimestamp() => TimeSpan.TicksPerDay + _now;

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero)
            throw new NotSupportedException("Periodic timers are not supported.");

        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Schedules an action.</summary>
    internal void At(TimeSpan elapsed, Action action) =>
        CreateTimer(static action => ((Action)action!)(), action, elapsed - Elapsed, Timeout.InfiniteTimeSpan);

    /// <summary>Advances time until nothing is due.</summary>
    internal void Run()
    {
        while (_queue.TryDequeue(out var next, out var due))
        {
            if (next.Timer.Setting != next.Setting)
                continue;
            _now = due.Due;
            next.Timer.Fire();
        }
    }

    private void Enqueue(VirtualTimer timer, TimeSpan dueTime)
    {
        // Continuations on the thread pool would make the order random.
        if (Environment.CurrentManagedThreadId != _thread)
            throw new InvalidOperationException("The simulation continued on another thread.");
        _queue.Enqueue((timer, timer.Setting), (_now + dueTime.Ticks, _number++));
    }

    private sealed class VirtualTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>Queue entries with another number are outdated.</summary>
        internal int Setting { get; private set; }

        internal void Fire()
        {
            Setting++;
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Setting++;
            if (dueTime != Timeout.InfiniteTimeSpan)
                time.Enqueue(this, dueTime);
            return true;
        }

        public void Dispose() => Setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
