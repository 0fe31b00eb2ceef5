namespace HttpResilience.IntegrationTests;

/// <summary>No timer of this clock ever fires: what ends all the same did not need it.</summary>
internal sealed class StoppedTime : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer();

    private sealed class Timer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() => GC.SuppressFinalize(this);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
