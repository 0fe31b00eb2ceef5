namespace HttpResilience.Simulation;

/// <summary>
/// A clock for simulations: time stands still until everything that is due now has been done, then it jumps to what is due next. One thread does it all,
/// so a run with the same seeds goes the same way each time. Timestamps count in ticks of 100 ns.
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

    // Not zero: to the chain that would be a call that never began.
    public override long GetTimestamp() => TimeSpan.TicksPerDay + _now;

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero)
            throw new NotSupportedException("Nothing in a simulation needs a timer that repeats.");

        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Does something at a time to come.</summary>
    internal void At(TimeSpan elapsed, Action action) =>
        CreateTimer(static action => ((Action)action!)(), action, elapsed - Elapsed, Timeout.InfiniteTimeSpan);

    /// <summary>Lets time pass until nothing is due any more.</summary>
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
        // Whatever ran on to the thread pool would come back in any order.
        if (Environment.CurrentManagedThreadId != _thread)
            throw new InvalidOperationException("The simulation has left its thread.");
        _queue.Enqueue((timer, timer.Setting), (_now + dueTime.Ticks, _number++));
    }

    private sealed class VirtualTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>Entries of the queue with another number are of the past.</summary>
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
