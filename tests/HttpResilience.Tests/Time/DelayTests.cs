namespace HttpResilience.Tests.Time;

public sealed class DelayTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(50);

    // Timers fire on threads of the pool: when calls block all of them, no timer fires.
    [Fact]
    public async Task A_blocking_wait_needs_no_timer_to_end()
    {
        var time = new NoTimers();
        long due = In(Wait, time);

        await OnOwnThread(() => Delay.UntilAsync(time, due, async: false, CancellationToken.None).AsTask().GetAwaiter().GetResult());

        time.GetTimestamp().ShouldBeGreaterThanOrEqualTo(due);
    }

    [Fact]
    public async Task A_blocking_wait_ends_when_its_token_is_cancelled()
    {
        var time = new NoTimers();
        using var caller = new CancellationTokenSource();
        var waiting = OnOwnThread(
            () => Delay.UntilAsync(time, long.MaxValue, async: false, caller.Token).AsTask().GetAwaiter().GetResult());

        await caller.CancelAsync();

        (await waiting.ShouldThrowAsync<OperationCanceledException>()).CancellationToken.ShouldBe(caller.Token);
    }

    [Fact]
    public async Task A_blocking_wait_ends_when_its_timer_fires()
    {
        var time = new ManualTimeProvider { SkipsWaits = true };

        await OnOwnThread(
            () => Delay.UntilAsync(time, In(TimeSpan.FromDays(30), time), async: false, CancellationToken.None)
                .AsTask().GetAwaiter().GetResult());

        time.Elapsed.ShouldBe(TimeSpan.FromDays(30));
    }

    private static long In(TimeSpan wait, TimeProvider time) =>
        time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);

    private static Task OnOwnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private sealed class NoTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Never();

        private sealed class Never : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
