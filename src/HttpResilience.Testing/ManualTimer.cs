namespace HttpResilience.Testing;

/// <summary>A timer of a <see cref="ManualTimeProvider"/>, which alone changes its state, under its own lock.</summary>
internal sealed class ManualTimer(Action<ManualTimer, TimeSpan?, TimeSpan?> set, Action<ManualTimer> remove, Action fire) : ITimer
{
    private volatile bool _isDisposed;

    /// <summary>The due time, relative to the start of the clock; null when the timer is not set.</summary>
    internal TimeSpan? Due { get; set; }

    internal TimeSpan? Period { get; set; }

    /// <summary>Whether the timer was created with its due time.</summary>
    internal bool IsWait { get; init; }

    internal void Fire() => fire();

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, Timeout.InfiniteTimeSpan);
        ArgumentOutOfRangeException.ThrowIfLessThan(period, Timeout.InfiniteTimeSpan);
        if (_isDisposed)
            return false;
        // Like the timer of the platform, a period of zero means none.
        set(this, dueTime == Timeout.InfiniteTimeSpan ? null : dueTime, period > TimeSpan.Zero ? period : null);
        return true;
    }

    public void Dispose()
    {
        _isDisposed = true;
        remove(this);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
