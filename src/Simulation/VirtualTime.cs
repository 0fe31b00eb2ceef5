namespace HttpResilience.Simulation;

/// <summary>
/// A clock for simulations: it runs everything that is due now, then jumps to the next due time. Everything runs on one thread,
/// so equal seeds give equal runs. Timestamps count ticks of 100 ns. <see cref="RunOnPool"/> is for code that uses the thread pool.
/// </summary>
internal sealed class VirtualTime : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2030, 1, 2, 0, 0, 0, TimeSpan.Zero);
    private static readonly Lock OnePool = new();

    private readonly PriorityQueue<(VirtualTimer Timer, int Setting), (long Due, long Number)> _queue = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _now;
    private long _number;
    private bool _isOnPool;

    internal TimeSpan Elapsed => TimeSpan.FromTicks(_now);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    // Not zero, because the chain treats timestamp zero as "not started".
    public override long GetTimestamp() => TimeSpan.TicksPerDay + _now;

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
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
        while (_queue.Count > 0)
            RunNext();
    }

    /// <summary>Advances time to <paramref name="until"/>: periodic timers never end.</summary>
    internal void Run(TimeSpan until)
    {
        while (_queue.TryPeek(out _, out var due) && due.Due <= until.Ticks)
            RunNext();
    }

    /// <summary>
    /// Advances time to <paramref name="until"/> on the thread pool of the process, which has one thread from then on: what the code of the
    /// simulation queues there runs before time goes on.
    /// </summary>
    /// <param name="begin">Begins the simulation, on the pool.</param>
    /// <param name="until">When it ends.</param>
    internal void RunOnPool(Action begin, TimeSpan until)
    {
        lock (OnePool)
        {
            if (!ThreadPool.SetMinThreads(1, 1) || !ThreadPool.SetMaxThreads(1, 1))
                throw new InvalidOperationException("The thread pool cannot be reduced to one thread.");
            _isOnPool = true;
            var run = new PoolRun(this, begin, until);
            ThreadPool.UnsafeQueueUserWorkItem(run, preferLocal: false);
            run.Ended.GetAwaiter().GetResult();
        }
    }

    private void RunNext()
    {
        var (timer, setting) = _queue.Peek();
        _queue.TryDequeue(out _, out var due);
        if (timer.Setting != setting)
            return;
        _now = due.Due;
        timer.Fire();
    }

    private void Enqueue(VirtualTimer timer, TimeSpan dueTime)
    {
        // Continuations on several threads would make the order random.
        if (_isOnPool ? !Thread.CurrentThread.IsThreadPoolThread : Environment.CurrentManagedThreadId != _thread)
            throw new InvalidOperationException("The simulation continued on another thread.");
        _queue.Enqueue((timer, timer.Setting), (_now + dueTime.Ticks, _number++));
    }

    private sealed class PoolRun(VirtualTime time, Action begin, TimeSpan until) : IThreadPoolWorkItem
    {
        private readonly TaskCompletionSource _ended = new();
        private Action? _begin = begin;

        internal Task Ended => _ended.Task;

        public void Execute()
        {
            try
            {
                Interlocked.Exchange(ref _begin, null)?.Invoke();
                // The thread takes what it has queued itself before this, which is queued behind everything.
                while (ThreadPool.PendingWorkItemCount == 0)
                {
                    if (!time._queue.TryPeek(out _, out var next) || next.Due > until.Ticks)
                    {
                        _ended.SetResult();
                        return;
                    }

                    time.RunNext();
                }

                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
            catch (Exception e)
            {
                _ended.SetException(e);
            }
        }
    }

    private sealed class VirtualTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        /// <summary>Queue entries with another number are outdated.</summary>
        internal int Setting { get; private set; }

        internal void Fire()
        {
            Change(_period, _period);
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Setting++;
            _period = period > TimeSpan.Zero ? period : Timeout.InfiniteTimeSpan;
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
