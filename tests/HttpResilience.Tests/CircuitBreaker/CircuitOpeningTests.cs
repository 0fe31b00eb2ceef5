namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>When a closed circuit opens, and for how long.</summary>
public sealed class CircuitOpeningTests
{
    private readonly CircuitTester _tester = new(CircuitPolicies.Of());

    [Fact]
    public void A_new_circuit_is_closed_and_lets_through()
    {
        _tester.State.ShouldBe(CircuitState.Closed);
        _tester.Enter().ShouldBe(new CircuitAdmission(true, 4, 0, null));
    }

    [Fact]
    public void The_fifth_failure_in_a_row_opens_it_for_thirty_seconds()
    {
        _tester.Attempts(4, CircuitOutcome.Failure);
        _tester.State.ShouldBe(CircuitState.Closed);

        _tester.Attempt(CircuitOutcome.Failure).ShouldBe(new CircuitTransition(CircuitState.Open, 30_000));

        _tester.State.ShouldBe(CircuitState.Open);
        _tester.Circuit.OpenUntil.ShouldBe(_tester.Now + 30_000);
    }

    [Fact]
    public void A_success_in_between_starts_the_count_anew()
    {
        for (int i = 0; i < 10; i++)
        {
            _tester.Attempts(4, CircuitOutcome.Failure);
            _tester.Attempt(CircuitOutcome.Success);
        }

        _tester.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void A_neutral_result_in_between_neither_counts_nor_starts_the_count_anew()
    {
        _tester.Attempts(4, CircuitOutcome.Failure);
        _tester.Attempts(100, CircuitOutcome.Neutral);
        _tester.State.ShouldBe(CircuitState.Closed);

        _tester.Attempt(CircuitOutcome.Failure);

        _tester.State.ShouldBe(CircuitState.Open);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(422)]
    [InlineData(429)]
    public void Refusals_never_open_it_and_end_a_row_of_failures(int status)
    {
        var outcome = FailureClassifier.Of(status, hasRetryAfter: false, keyed: false).CircuitOutcome;
        _tester.Attempts(4, CircuitOutcome.Failure);
        _tester.Attempts(50, outcome);
        _tester.Attempts(4, CircuitOutcome.Failure);

        _tester.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Open_it_lets_nothing_through_until_the_break_is_over()
    {
        _tester.Break();
        long openUntil = _tester.Circuit.OpenUntil;
        foreach (long now in new[] { _tester.Now, _tester.Now + 1, openUntil - 1 })
        {
            _tester.Now = now;
            var admission = _tester.Enter();
            admission.IsAllowed.ShouldBeFalse();
            admission.OpenUntil.ShouldBe(openUntil);
            admission.Transition.ShouldBeNull();
        }

        _tester.PassBreak();
        _tester.Enter().IsAllowed.ShouldBeTrue();
    }

    [Fact]
    public void A_late_result_changes_nothing()
    {
        var late = Enumerable.Range(0, 10).Select(_ => _tester.Enter()).ToArray();
        _tester.Break();
        long openUntil = _tester.Circuit.OpenUntil;

        _tester.Now += 10_000;
        foreach (var admission in late)
            _tester.Report(admission, CircuitOutcome.Failure, openAtLeast: 999_999).ShouldBeNull();
        _tester.Report(late[0], CircuitOutcome.Success).ShouldBeNull();

        _tester.State.ShouldBe(CircuitState.Open);
        _tester.Circuit.OpenUntil.ShouldBe(openUntil);
    }

    [Fact]
    public void A_late_failure_does_not_count_against_the_circuit_that_has_closed_again()
    {
        var late = Enumerable.Range(0, 10).Select(_ => _tester.Enter()).ToArray();
        _tester.Break();
        _tester.PassBreak();
        _tester.Attempt(CircuitOutcome.Success);
        _tester.State.ShouldBe(CircuitState.Closed);

        foreach (var admission in late)
            _tester.Report(admission, CircuitOutcome.Failure);
        _tester.Attempts(4, CircuitOutcome.Failure);

        _tester.State.ShouldBe(CircuitState.Closed);
    }

    [Theory]
    [InlineData(0, 30_000)]
    [InlineData(29_999, 30_000)]
    [InlineData(30_001, 30_001)]
    [InlineData(120_000, 120_000)]
    [InlineData(600_000, 600_000)]
    public void A_break_lasts_at_least_as_long_as_the_Retry_After_of_the_server(long asked, long openFor)
    {
        _tester.Attempts(4, CircuitOutcome.Failure);

        _tester.Attempt(CircuitOutcome.Failure, openAtLeast: asked)!.OpenFor.ShouldBe(openFor);

        _tester.Circuit.OpenUntil.ShouldBe(_tester.Now + openFor);
        _tester.Now += openFor - 1;
        _tester.Enter().IsAllowed.ShouldBeFalse();
        _tester.Now++;
        _tester.Enter().IsAllowed.ShouldBeTrue();
    }
}
