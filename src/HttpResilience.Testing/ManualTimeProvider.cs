namespace HttpResilience.Testing;

/// <summary>
/// A clock that moves only when a test advances it. Register it as <see cref="TimeProvider"/> before the client is created: every wait and
/// timeout of the chain then uses it. Timestamps are in nanoseconds, like those of the platform on Linux.
/// </summary>
/// <param name="start">The initial time. Default: <see cref="DefaultStart"/>.</param>
public sealed class ManualTimeProvider(DateTimeOffset start) : TimeProvider
{
    private const long NanosecondsPerTick = 100;
    private const long FirstTimestamp = 987_654_321_000;

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly List<(Func<ManualTimer, bool> IsIt, TaskCompletionSource Seen)> _awaited = [];
    private TimeSpan _elapsed;

    /// <summary>Creates a clock that starts at <see cref="DefaultStart"/>.</summary>
    public ManualTimeProvider()
        : this(DefaultStart)
    {
    }

    /// <summary>The default initial time: 2030-01-02 03:04:05 UTC.</summary>
    public static DateTimeOffset DefaultStart { get; } = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>
    /// Ends each wait as soon as it begins: the clock jumps to its end, so that a call with many retries takes no time and needs no
    /// second thread that advances the clock. A wait is a timer that is created with its due time, as by
    /// <see cref="Task.Delay(TimeSpan, TimeProvider)"/>. A timer that is set later, such as that of an attempt, and the
    /// timeout of a <see cref="CancellationTokenSource"/> do not move the clock. An outcome that never responds advances the clock
    /// to the timeout of its caller. Default: false.
    /// </summary>
    public bool SkipsWaits { get; set; }

    /// <summary>How long, in real time, the clock waits for a timer to be set before it throws. Default: 30 seconds.</summary>
    public TimeSpan WaitTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The initial time.</summary>
    public DateTimeOffset Start { get; } = start.ToUniversalTime();

    /// <summary>How far the clock has advanced.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            lock (_gate)
                return _elapsed;
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond * NanosecondsPerTick;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long GetTimestamp() => FirstTimestamp + Elapsed.Ticks * NanosecondsPerTick;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(Set, Remove, () => callback(state)) { IsWait = dueTime != Timeout.InfiniteTimeSpan };
        timer.Change(dueTime, period);
        // The timeout of a CancellationTokenSource limits work that has not begun yet; skipping it would cancel the work.
        if (SkipsWaits && timer.IsWait && state is not CancellationTokenSource)
            Advance(dueTime);
        return timer;
    }

    /// <summary>Advances the clock and fires the timers that become due, in order, on the calling thread.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="by"/> is negative.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        AdvanceTo(Elapsed + by);
    }

    /// <summary>Advances the clock to this time and fires the timers that become due, in order, on the calling thread.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="value"/> is earlier than the current time of the clock.</exception>
    public void SetUtcNow(DateTimeOffset value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, GetUtcNow());
        AdvanceTo(value - Start);
    }

    /// <summary>Advances the clock to the timer that is due next, and fires it.</summary>
    /// <exception cref="InvalidOperationException">No timer is set.</exception>
    public void AdvanceToNextTimer()
    {
        if (!TryAdvanceToNextTimer())
            throw new InvalidOperationException("No timer is set.");
    }

    /// <summary>Waits until a timer is set that is due in exactly this time from now.</summary>
    /// <exception cref="TimeoutException">No such timer was set within <see cref="WaitTimeout"/>.</exception>
    public Task TimerDueInAsync(TimeSpan wait)
    {
        lock (_gate)
        {
            TimeSpan due = _elapsed + wait;
            return UntilSetAsync(t => t.Due == due, $"a timer that is due in {wait}");
        }
    }

    /// <summary>
    /// Waits until a wait has begun, that is, until a timer was created with a due time, as
    /// <see cref="Task.Delay(TimeSpan, TimeProvider)"/> does.
    /// </summary>
    /// <returns>The remaining time of the wait that ends first; <see cref="Advance"/> by this time ends it.</returns>
    /// <exception cref="TimeoutException">No such timer was set within <see cref="WaitTimeout"/>.</exception>
    public async Task<TimeSpan> UntilSomebodyWaitsAsync()
    {
        Task seen;
        lock (_gate)
            seen = UntilSetAsync(t => t is { IsWait: true, Due: not null }, "a wait");
        await seen.ConfigureAwait(false);
        lock (_gate)
            return (_timers.Where(t => t.IsWait).Min(t => t.Due) ?? _elapsed) - _elapsed;
    }

    internal bool TryAdvanceToNextTimer()
    {
        TimeSpan? next;
        lock (_gate)
            next = _timers.Min(t => t.Due);
        if (next is null)
            return false;
        AdvanceTo(next.Value);
        return true;
    }

    private void AdvanceTo(TimeSpan until)
    {
        while (TakeDue(until) is { } timer)
            timer.Fire();
    }

    // The caller holds the gate.
    private Task UntilSetAsync(Func<ManualTimer, bool> isIt, string what)
    {
        if (_timers.Exists(t => isIt(t)))
            return Task.CompletedTask;

        var awaited = (isIt, seen: new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _awaited.Add(awaited);
        return WithinTimeoutAsync(awaited, what);
    }

    private async Task WithinTimeoutAsync((Func<ManualTimer, bool> IsIt, TaskCompletionSource Seen) awaited, string what)
    {
        try
        {
            await awaited.Seen.Task.WaitAsync(WaitTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"No code set {what} within {WaitTimeout}. Timers that are set: {Describe()}.", e);
        }
        finally
        {
            lock (_gate)
                _awaited.Remove(awaited);
        }
    }

    private string Describe()
    {
        lock (_gate)
        {
            string[] due = [.. _timers.Where(t => t.Due is not null).OrderBy(t => t.Due).Select(t => $"due in {t.Due - _elapsed}")];
            return due.Length == 0 ? "none" : string.Join(", ", due);
        }
    }

    private ManualTimer? TakeDue(TimeSpan until)
    {
        lock (_gate)
        {
            var next = _timers.Where(t => t.Due <= until).MinBy(t => t.Due);
            TimeSpan now = next?.Due ?? until;
            _elapsed = now > _elapsed ? now : _elapsed;
            next?.Due = next.Period is { } period ? now + period : null;
            return next;
        }
    }

    private void Set(ManualTimer timer, TimeSpan? dueIn, TimeSpan? period)
    {
        lock (_gate)
        {
            timer.Due = _elapsed + dueIn;
            timer.Period = period;
            if (!_timers.Contains(timer))
                _timers.Add(timer);
            foreach (var (_, seen) in _awaited.Where(a => a.IsIt(timer)))
                seen.TrySetResult();
        }
    }

    private void Remove(ManualTimer timer)
    {
        lock (_gate)
            _timers.Remove(timer);
    }
}
