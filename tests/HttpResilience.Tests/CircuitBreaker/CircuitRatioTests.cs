namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>The failure ratio over the sampling duration.</summary>
public sealed class CircuitRatioTests
{
    [Fact]
    public void By_default_a_tenth_of_a_hundred_attempts_in_thirty_seconds_opens_it()
    {
        var tester = new CircuitTester(CircuitPolicies.Of());
        Interleave(tester, successes: 90, failures: 9);
        tester.State.ShouldBe(CircuitState.Closed);

        tester.Attempt(CircuitOutcome.Failure);

        tester.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Below_the_minimum_throughput_no_ratio_opens_it()
    {
        var tester = new CircuitTester(ByRatioOnly(0.5, minimumThroughput: 100));

        tester.Attempts(99, CircuitOutcome.Failure);
        tester.State.ShouldBe(CircuitState.Closed);
        tester.Attempt(CircuitOutcome.Failure);
        tester.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Below_the_ratio_no_number_of_attempts_opens_it()
    {
        var tester = new CircuitTester(ByRatioOnly(0.5, minimumThroughput: 10));

        for (int i = 0; i < 1000; i++)
        {
            tester.Attempts(2, CircuitOutcome.Success);
            tester.Attempt(CircuitOutcome.Failure);
        }

        tester.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Failures_older_than_the_sampling_duration_do_not_count()
    {
        var tester = new CircuitTester(ByRatioOnly(0.5, minimumThroughput: 10));
        tester.Attempts(9, CircuitOutcome.Failure);
        tester.Now += 30_000;

        tester.Attempts(9, CircuitOutcome.Failure);
        tester.State.ShouldBe(CircuitState.Closed);
        tester.Attempt(CircuitOutcome.Failure);
        tester.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Failures_within_nine_tenths_of_the_sampling_duration_do_count()
    {
        var tester = new CircuitTester(ByRatioOnly(0.5, minimumThroughput: 10));
        tester.Attempts(9, CircuitOutcome.Failure);
        tester.Now += 27_000;

        tester.Attempt(CircuitOutcome.Failure);

        tester.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Neutral_results_are_no_attempts()
    {
        var tester = new CircuitTester(ByRatioOnly(0.5, minimumThroughput: 10));
        tester.Attempts(9, CircuitOutcome.Failure);
        tester.Attempts(100, CircuitOutcome.Neutral);
        tester.State.ShouldBe(CircuitState.Closed);

        tester.Attempt(CircuitOutcome.Failure);

        tester.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Failures_that_led_to_a_break_are_forgotten_when_the_circuit_closes()
    {
        var tester = new CircuitTester(ByRatioOnly(0.5, minimumThroughput: 10, breakDuration: TimeSpan.FromSeconds(1)));
        tester.Break();
        tester.PassBreak();
        tester.Attempt(CircuitOutcome.Success);

        tester.Attempts(9, CircuitOutcome.Failure);
        tester.State.ShouldBe(CircuitState.Closed);
        tester.Attempt(CircuitOutcome.Failure);
        tester.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void A_ratio_of_zero_opens_at_the_first_failure_after_the_minimum()
    {
        var tester = new CircuitTester(ByRatioOnly(0, minimumThroughput: 10));
        tester.Attempts(20, CircuitOutcome.Success);
        tester.State.ShouldBe(CircuitState.Closed);

        tester.Attempt(CircuitOutcome.Failure);

        tester.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void A_ratio_of_one_takes_nothing_but_failures()
    {
        var tester = new CircuitTester(ByRatioOnly(1, minimumThroughput: 10));
        tester.Attempt(CircuitOutcome.Success);
        tester.Attempts(500, CircuitOutcome.Failure);

        tester.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Without_a_ratio_only_failures_in_a_row_open_it()
    {
        var tester = new CircuitTester(CircuitPolicies.Of(o => o.FailureRatio = null));
        for (int i = 0; i < 500; i++)
        {
            tester.Attempts(4, CircuitOutcome.Failure);
            tester.Attempt(CircuitOutcome.Success);
        }

        tester.State.ShouldBe(CircuitState.Closed);
    }

    private static CircuitPolicy ByRatioOnly(double ratio, int minimumThroughput, TimeSpan? breakDuration = null) => CircuitPolicies.Of(o =>
    {
        (o.FailureThreshold, o.FailureRatio, o.MinimumThroughput) = (null, ratio, minimumThroughput);
        o.BreakDuration = breakDuration ?? o.BreakDuration;
    });

    // Never five failures in a row.
    private static void Interleave(CircuitTester tester, int successes, int failures)
    {
        int each = successes / failures;
        for (int i = 0; i < failures; i++)
        {
            tester.Attempts(each, CircuitOutcome.Success);
            tester.Attempt(CircuitOutcome.Failure);
        }
    }
}
