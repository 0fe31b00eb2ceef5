namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>The rules of short breaks, at their limits. Time is in milliseconds.</summary>
public sealed class ShortBreakTests
{
    private CircuitTester _tester = New();

    [Fact]
    public void Five_failures_in_a_moment_are_a_hiccup_and_open_only_when_the_row_lasts()
    {
        for (int i = 0; i < 20; i++)
            _tester.Attempt(CircuitOutcome.Failure).ShouldBeNull();
        _tester.Now += 499;
        _tester.Attempt(CircuitOutcome.Failure).ShouldBeNull();
        _tester.Now += 1;

        _tester.Attempt(CircuitOutcome.Failure).ShouldBe(new CircuitTransition(CircuitState.Open, 1_000));
    }

    [Fact]
    public void Four_failures_do_not_open_however_long_they_last()
    {
        for (int i = 0; i < 4; i++)
        {
            _tester.Attempt(CircuitOutcome.Failure).ShouldBeNull();
            _tester.Now += 10_000;
        }

        _tester.Attempt(CircuitOutcome.Failure)!.To.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void A_success_begins_a_new_row()
    {
        Fail(4, every: 200);
        _tester.Attempt(CircuitOutcome.Success);

        Fail(5, every: 120).ShouldBeNull();
        _tester.Now += 20;
        _tester.Attempt(CircuitOutcome.Failure)!.To.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Failures_of_attempts_that_began_before_the_latest_success_began_do_not_count()
    {
        var silent = Enumerable.Range(0, 100).Select(_ => _tester.Enter()).ToArray();
        long began = _tester.Now;
        _tester.Now += 30_000;
        _tester.Report(_tester.Enter(), CircuitOutcome.Success);

        foreach (var attempt in silent)
        {
            _tester.Now += 100;
            _tester.Report(attempt, CircuitOutcome.Failure, took: _tester.Now - began).ShouldBeNull();
        }

        _tester.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void The_break_stays_as_it_is_while_probes_fail_within_the_wait_and_doubles_then_up_to_ten_seconds()
    {
        long trippedAt = Trip();
        List<long> breaks = [];
        while (breaks.Count < 12)
        {
            _tester.PassBreak();
            breaks.Add(_tester.Attempt(CircuitOutcome.Failure)!.OpenFor);
        }

        // Those of 1 s end at 1 to 4 s; the probe at 5 s is the first that fails after the wait.
        breaks.ShouldBe([1_000, 1_000, 1_000, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000, 10_000]);
        _tester.Now.ShouldBe(trippedAt + 5_000 + 14_000 + 4 * 10_000);
    }

    [Fact]
    public void A_longer_Retry_After_counts()
    {
        Trip();
        _tester.PassBreak();

        _tester.Attempt(CircuitOutcome.Failure, openAtLeast: 7_000).ShouldBe(new CircuitTransition(CircuitState.Open, 7_000));
        _tester.Circuit.Break.ShouldBe(7_000);
    }

    [Fact]
    public void The_pace_is_measured_without_a_ratio_too()
    {
        _tester = New(o => o.FailureRatio = null);
        Trip();

        _tester.Circuit.Pace.ShouldBeInRange(90, 110);
    }

    [Fact]
    public void Of_fewer_than_ten_attempts_there_is_no_pace()
    {
        Fail(5, every: 200);
        _tester.State.ShouldBe(CircuitState.Open);

        _tester.Circuit.Pace.ShouldBe(0);
    }

    [Fact]
    public void A_circuit_that_opens_soon_after_it_has_closed_keeps_its_pace_and_measures_it_anew_after_30_seconds()
    {
        Trip();
        long pace = _tester.Circuit.Pace;
        _tester.PassBreak();
        _tester.Attempt(CircuitOutcome.Success);
        long closedAt = _tester.Now;
        Succeed(until: closedAt + 29_400, every: 10);
        Fail(60, every: 10);
        _tester.State.ShouldBe(CircuitState.Open);
        _tester.Circuit.Pace.ShouldBe(pace);

        _tester.PassBreak();
        _tester.Attempt(CircuitOutcome.Success);
        closedAt = _tester.Now;
        Succeed(until: closedAt + 29_500, every: 10);
        while (_tester.State is CircuitState.Closed)
            Fail(1, every: 10);

        // The very moment counts.
        (_tester.Now - closedAt).ShouldBe(30_000 + 10);
        _tester.Circuit.Pace.ShouldBeInRange(9, 11);
    }

    [Fact]
    public void A_probe_without_an_answer_lets_one_more_go_after_a_second_or_the_length_of_the_break()
    {
        Trip();
        _tester.PassBreak();
        _tester.Attempt(CircuitOutcome.Failure, openAtLeast: 3_000);
        _tester.PassBreak();
        var silent = _tester.Enter();
        silent.IsAllowed.ShouldBeTrue();
        for (int more = 0; more < 3; more++)
        {
            _tester.Now += 2_999;
            _tester.Enter().IsAllowed.ShouldBeFalse();
            _tester.Now += 1;
            _tester.Enter().IsAllowed.ShouldBeTrue();
        }

        // The success of any of them closes.
        _tester.Report(silent, CircuitOutcome.Success)!.To.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Nine_of_ten_failures_do_not_open_and_more_do()
    {
        _tester = New(o => o.FailureThreshold = null);
        for (int i = 0; i < 100; i++)
            _tester.Attempt(i % 10 == 9 ? CircuitOutcome.Success : CircuitOutcome.Failure);
        _tester.State.ShouldBe(CircuitState.Closed);

        _tester.Attempts(20, CircuitOutcome.Success);
        _tester.State.ShouldBe(CircuitState.Closed);
        while (_tester.State is CircuitState.Closed)
            _tester.Attempt(CircuitOutcome.Failure);
    }

    private static CircuitTester New(Action<CircuitBreakerOptions>? configure = null)
    {
        var options = new CircuitBreakerOptions { FailureDuration = TimeSpan.FromSeconds(0.5) };
        configure?.Invoke(options);
        return new(CircuitPolicy.From(options, CircuitPolicies.Frequency)!);
    }

    private long Trip()
    {
        Succeed(until: _tester.Now + 1_500, every: 100);
        Fail(6, every: 100);
        _tester.State.ShouldBe(CircuitState.Open);
        return _tester.Now - 100;
    }

    private CircuitTransition? Fail(int count, long every)
    {
        CircuitTransition? transition = null;
        for (int i = 0; i < count && transition is null; i++)
        {
            transition = _tester.Attempt(CircuitOutcome.Failure);
            _tester.Now += every;
        }

        return transition;
    }

    private void Succeed(long until, long every)
    {
        for (; _tester.Now < until; _tester.Now += every)
            _tester.Attempt(CircuitOutcome.Success);
    }
}
