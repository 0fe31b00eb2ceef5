namespace HttpResilience.Tests.Time;

/// <summary>The attempts of blocking calls end although no timer fires.</summary>
public sealed class TimerWatchTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly LateTimers _time = new();
    private readonly TimerWatch _watch = new();

    [Fact]
    public void An_attempt_whose_timer_does_not_fire_is_ended()
    {
        var timer = Start(isBlocking: true);
        _time.Pass(Timeout);

        _watch.EndOverdue();
        // The platform's timer has the first 100 ms.
        timer.IsCancellationRequested.ShouldBeFalse();
        _time.Pass(TimeSpan.FromMilliseconds(100));
        _watch.EndOverdue().ShouldBeTrue();

        (timer.IsCancellationRequested, timer.HasExpired).ShouldBe((true, true));
        _watch.EndOverdue().ShouldBeFalse();
    }

    [Fact]
    public void An_attempt_of_a_call_that_does_not_block_is_left_to_its_timer()
    {
        var timer = Start(isBlocking: false);
        _time.Pass(Timeout * 2);

        _watch.EndOverdue();

        timer.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public void An_attempt_that_has_ended_or_has_time_left_is_not_ended()
    {
        var ended = Start(isBlocking: true);
        ended.Stop().ShouldBeTrue();
        _time.Pass(Timeout);
        var running = Start(isBlocking: true);
        _time.Pass(TimeSpan.FromSeconds(10));

        _watch.EndOverdue().ShouldBeTrue();

        (ended.IsCancellationRequested, running.IsCancellationRequested).ShouldBe((false, false));
    }

    [Fact]
    public void A_timer_that_is_discarded_is_forgotten()
    {
        var timer = Start(isBlocking: true);
        _watch.Remove(timer);
        _time.Pass(Timeout * 2);

        _watch.EndOverdue().ShouldBeFalse();

        timer.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public void A_thread_of_its_own_ends_them()
    {
        var timer = Start(isBlocking: true);
        _watch.Begin(timer);
        _time.Pass(Timeout * 2);

        timer.Token.WaitHandle.WaitOne(TimeSpan.FromMinutes(1)).ShouldBeTrue();
    }

    private AttemptTimer Start(bool isBlocking)
    {
        var timer = new AttemptTimer(_time) { IsBlocking = isBlocking };
        _watch.Add(timer);
        long now = _time.GetTimestamp();
        timer.Start(now, now + Timeout.Ticks);
        return timer;
    }
}
