namespace HttpResilience.Tests;

public sealed class ManualTimeProviderTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly ManualTimeProvider _clock = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void The_clock_stands_still_until_it_is_advanced()
    {
        long before = _clock.GetTimestamp();
        _clock.GetUtcNow().ShouldBe(ManualTimeProvider.DefaultStart);

        _clock.Advance(TimeSpan.FromTicks(15));

        _clock.GetUtcNow().ShouldBe(ManualTimeProvider.DefaultStart.AddTicks(15));
        _clock.GetElapsedTime(before).ShouldBe(TimeSpan.FromTicks(15));
        _clock.Elapsed.ShouldBe(TimeSpan.FromTicks(15));
        _clock.GetLocalNow().ShouldBe(_clock.GetUtcNow());
    }

    [Fact]
    public void The_clock_starts_at_the_given_time_and_is_set_forward_but_not_back()
    {
        var clock = new ManualTimeProvider(new(2027, 3, 4, 12, 0, 0, TimeSpan.FromHours(2)));
        clock.GetUtcNow().ShouldBe(new(2027, 3, 4, 10, 0, 0, TimeSpan.Zero));

        clock.SetUtcNow(new(2027, 3, 4, 10, 0, 5, TimeSpan.Zero));

        clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(5));
        Should.Throw<ArgumentOutOfRangeException>(() => clock.SetUtcNow(clock.Start));
        Should.Throw<ArgumentOutOfRangeException>(() => clock.Advance(TimeSpan.FromTicks(-1)));
    }

    [Fact]
    public void Timers_fire_in_order_each_at_its_time()
    {
        using var late = Timer("late", seconds: 3);
        using var early = Timer("early", seconds: 1);

        _clock.Advance(TimeSpan.FromSeconds(0.9));
        _fired.ShouldBeEmpty();
        _clock.Advance(TimeSpan.FromSeconds(10));

        _fired.ShouldBe(["early at 1", "late at 3"]);
        _clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(10.9));
    }

    [Fact]
    public void A_timer_may_repeat()
    {
        using var timer = Timer("tick", seconds: 1, period: TimeSpan.FromSeconds(2));

        _clock.Advance(TimeSpan.FromSeconds(5));

        _fired.ShouldBe(["tick at 1", "tick at 3", "tick at 5"]);
    }

    [Fact]
    public void A_timer_that_is_changed_or_disposed_does_not_fire_as_before()
    {
        using var moved = Timer("moved", seconds: 1);
        using var stopped = Timer("stopped", seconds: 1);
        var disposed = Timer("disposed", seconds: 1);

        moved.Change(TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan).ShouldBeTrue();
        stopped.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan).ShouldBeTrue();
        disposed.Dispose();
        disposed.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan).ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(5));

        _fired.ShouldBe(["moved at 2"]);
        Should.Throw<ArgumentOutOfRangeException>(() => moved.Change(TimeSpan.FromSeconds(-2), Timeout.InfiniteTimeSpan));
    }

    [Fact]
    public void The_clock_advances_to_the_next_timer_if_there_is_one()
    {
        using var later = Timer("later", seconds: 2);
        using var timer = Timer("next", seconds: 1);

        _clock.AdvanceToNextTimer();
        _fired.ShouldBe(["next at 1"]);
        _clock.AdvanceToNextTimer();

        Should.Throw<InvalidOperationException>(_clock.AdvanceToNextTimer);
        _clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_clock_that_skips_waits_ends_each_wait_at_once()
    {
        _clock.SkipsWaits = true;
        using var setLater = _clock.CreateTimer(_ => _fired.Add("set later"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        setLater.Change(TimeSpan.FromHours(2), Timeout.InfiniteTimeSpan);

        await Task.Delay(TimeSpan.FromHours(1), _clock, Token);

        _clock.Elapsed.ShouldBe(TimeSpan.FromHours(1));
        _fired.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_test_can_wait_until_another_task_waits()
    {
        var set = _clock.UntilSomebodyWaitsAsync();
        using var notAWait = _clock.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        notAWait.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        set.IsCompleted.ShouldBeFalse();

        var waiting = Task.Delay(TimeSpan.FromSeconds(4), _clock, Token);
        TimeSpan left = await set;
        left.ShouldBe(TimeSpan.FromSeconds(4));
        (await _clock.UntilSomebodyWaitsAsync()).ShouldBe(left);
        _clock.Advance(left);

        await waiting;
    }

    [Fact]
    public async Task A_test_waits_until_a_certain_timer_is_set()
    {
        var set = _clock.TimerDueInAsync(TimeSpan.FromSeconds(4));
        using var other = Timer("other", seconds: 3);
        set.IsCompleted.ShouldBeFalse();
        using var timer = Timer("timer", seconds: 4);

        await set;
        _clock.Advance(TimeSpan.FromSeconds(1));
        await _clock.TimerDueInAsync(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task A_wait_for_a_timer_times_out_and_lists_the_timers_that_are_set()
    {
        var clock = new ManualTimeProvider { WaitTimeout = TimeSpan.Zero };
        (await Should.ThrowAsync<TimeoutException>(clock.UntilSomebodyWaitsAsync)).Message.ShouldContain("none");
        _ = Task.Delay(TimeSpan.FromSeconds(2), clock, Token);

        (await Should.ThrowAsync<TimeoutException>(() => clock.TimerDueInAsync(TimeSpan.FromSeconds(3)))).Message
            .ShouldContain("due in 00:00:02");
    }

    [Fact]
    public void The_timeout_of_a_cancellation_does_not_move_a_clock_that_skips_waits()
    {
        _clock.SkipsWaits = true;

        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10), _clock);

        (timeout.IsCancellationRequested, _clock.Elapsed).ShouldBe((false, TimeSpan.Zero));
        _clock.Advance(TimeSpan.FromSeconds(10));
        timeout.IsCancellationRequested.ShouldBeTrue();
    }

    private ITimer Timer(string name, double seconds, TimeSpan? period = null) => _clock.CreateTimer(
        _ => _fired.Add($"{name} at {_clock.Elapsed.TotalSeconds}"), null, TimeSpan.FromSeconds(seconds),
        period ?? Timeout.InfiniteTimeSpan);
}
