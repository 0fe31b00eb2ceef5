namespace HttpResilience.Tests;

/// <summary>A clock that stands still until a test moves it. Timestamps count in nanoseconds, as the platform's do on Linux.</summary>
internal sealed class ManualTimeProvider : TimeProvider
{
    private const long NanosecondsPerTick = 100;
    private const long FirstTimestamp = 987_654_321_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly List<(TimeSpan Due, TaskCompletionSource Seen)> _awaited = [];
    private TimeSpan _elapsed;

    /// <summary>Whoever begins a wait finds that its time has come: the clock jumps there by itself. A timer that is only set later, such as that of an attempt, stays.</summary>
    public bool SkipsWaits { get; set; }

    public DateTimeOffset Start { get; } = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public TimeSpan Elapsed
    {
        get
        {
            lock (_gate)
                return _elapsed;
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond * NanosecondsPerTick;

    public override long GetTimestamp() => FirstTimestamp + Elapsed.Ticks * NanosecondsPerTick;

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        if (SkipsWaits && dueTime != Timeout.InfiniteTimeSpan)
            Advance(dueTime);
        return timer;
    }

    /// <summary>Moves the clock and fires what falls due on the way, in order.</summary>
    public void Advance(TimeSpan by)
    {
        TimeSpan until = Elapsed + by;
        while (TakeDue(until) is { } timer)
            timer.Fire();
    }

    /// <summary>Moves the clock to the timer that is due next, and fires it.</summary>
    public void AdvanceToNextTimer()
    {
        TimeSpan next;
        lock (_gate)
            next = _timers.Min(t => t.Due) ?? throw new InvalidOperationException("No timer is set: time alone changes nothing any more.");
        Advance(next - Elapsed);
    }

    /// <summary>Ends when somebody has set a timer that is due in exactly this time from now.</summary>
    public Task TimerDueInAsync(TimeSpan wait)
    {
        lock (_gate)
        {
            TimeSpan due = _elapsed + wait;
            if (_timers.Exists(t => t.Due == due))
                return Task.CompletedTask;

            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((due, seen));
            return seen.Task.WaitAsync(Patience);
        }
    }

    private ManualTimer? TakeDue(TimeSpan until)
    {
        lock (_gate)
        {
            var next = _timers.Where(t => t.Due <= until).MinBy(t => t.Due);
            TimeSpan now = next?.Due ?? until;
            _elapsed = now > _elapsed ? now : _elapsed;
            next?.Due = null;
            return next;
        }
    }

    private void Set(ManualTimer timer, TimeSpan? dueIn)
    {
        lock (_gate)
        {
            timer.Due = _elapsed + dueIn;
            if (!_timers.Contains(timer))
                _timers.Add(timer);
            foreach (var (_, seen) in _awaited.Where(a => a.Due == timer.Due))
                seen.TrySetResult();
        }
    }

    private void Remove(ManualTimer timer)
    {
        lock (_gate)
            _timers.Remove(timer);
    }

    private sealed class ManualTimer(ManualTimeProvider clock, Action callback) : ITimer
    {
        public TimeSpan? Due { get; set; }

        public void Fire() => callback();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan)
                throw new NotSupportedException("Timers that repeat are not needed.");
            clock.Set(this, dueTime == Timeout.InfiniteTimeSpan ? null : dueTime);
            return true;
        }

        public void Dispose() => clock.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
