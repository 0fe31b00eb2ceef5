namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// Retries are not limited: no time passes between them, however busy the machine is. The pauses between them pass as usual; longer timers,
/// those of timeouts, never fire.
/// </summary>
internal sealed class UnlimitedRetryTime : TimeProvider
{
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(1);

    public override long GetTimestamp() => 0;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime > MaxPause ? Timeout.InfiniteTimeSpan : dueTime, period);
}
