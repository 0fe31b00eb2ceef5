namespace HttpResilience.CrashWorker;

/// <summary>A clock that runs faster than the system clock and is equal in every process with the same parameters.</summary>
public sealed class FastTime(DateTimeOffset epoch, double speed, TimeSpan ahead) : TimeProvider
{
    private readonly long _startedAt = System.GetTimestamp();

    public override long TimestampFrequency => System.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => epoch + ((System.GetUtcNow() - epoch) * speed) + ahead;

    public override long GetTimestamp() => (long)((System.GetTimestamp() - _startedAt) * speed);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(System.CreateTimer(callback, state, Real(dueTime), Real(period)), this);

    // Rounded up to whole milliseconds, so that no timer fires early.
    private TimeSpan Real(TimeSpan time) =>
        time <= TimeSpan.Zero ? time : TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds / speed));

    private sealed class Timer(ITimer real, FastTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => real.Change(time.Real(dueTime), time.Real(period));

        public void Dispose() => real.Dispose();

        public ValueTask DisposeAsync() => real.DisposeAsync();
    }
}
