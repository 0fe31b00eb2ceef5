namespace HttpResilience.Tests.Clients;

/// <summary>A clock with few ticks a second, whose timers fire on the calling thread at their time, or after a jump all at once.</summary>
internal sealed class QueueClock(long frequency) : TimeProvider
{
    private readonly List<Alarm> _alarms = [];

    internal long Now { get; private set; } = 1_000;

    /// <summary>The timers that were not disposed.</summary>
    internal int Timers => _alarms.Count;

    public override long TimestampFrequency => frequency;

    public override long GetTimestamp() => Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, () => callback(state));
        alarm.Change(dueTime, period);
        _alarms.Add(alarm);
        return alarm;
    }

    /// <summary>Moves the clock, and fires what is due then.</summary>
    internal void Advance(long ticks)
    {
        Now += ticks;
        while (_alarms.Find(a => a.Due <= Now) is { } due)
            due.Fire();
    }

    /// <summary>Fires all timers before their time.</summary>
    internal void FireEarly() => _alarms.ToList().ForEach(a => a.Fire());

    private sealed class Alarm(QueueClock clock, Action fire) : ITimer
    {
        internal long Due { get; private set; } = long.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : clock.Now + Ticks.Of(dueTime, clock.TimestampFrequency);
            return true;
        }

        public void Dispose() => clock._alarms.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        internal void Fire()
        {
            Due = long.MaxValue;
            fire();
        }
    }
}
