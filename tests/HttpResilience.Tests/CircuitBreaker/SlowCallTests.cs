namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>A host that answers too slowly, and a circuit that somebody moves by hand. Time is in milliseconds.</summary>
public sealed class SlowCallTests
{
    private const long Slow = 2_000;

    private readonly CircuitTester _tester = new(CircuitPolicies.Of(o =>
        (o.SlowCallDuration, o.SlowCallRatio, o.MinimumThroughput) = (TimeSpan.FromMilliseconds(Slow), 0.5, 10)));

    [Fact]
    public void By_default_no_call_is_slow()
    {
        new CircuitBreakerOptions().SlowCallDuration.ShouldBeNull();
        new CircuitBreakerOptions().SlowCallRatio.ShouldBe(1.0);
        CircuitPolicies.Of().SlowCallDuration.ShouldBe(long.MaxValue);
    }

    [Theory]
    [InlineData(5, 5, true)]
    [InlineData(6, 4, false)]
    [InlineData(4, 5, false)]
    [InlineData(0, 10, true)]
    public void So_many_slow_ones_among_so_many_quick_ones_open_it(int quick, int slow, bool opens)
    {
        for (int i = 0; i < quick; i++)
            _tester.Attempt(CircuitOutcome.Success, took: Slow - 1);
        CircuitTransition? last = null;
        for (int i = 0; i < slow; i++)
            last = _tester.Attempt(CircuitOutcome.Success, took: Slow);

        _tester.State.ShouldBe(opens ? CircuitState.Open : CircuitState.Closed);
        (last is not null).ShouldBe(opens);
    }

    [Fact]
    public void A_slow_probe_opens_it_again()
    {
        for (int i = 0; i < 10; i++)
            _tester.Attempt(CircuitOutcome.Success, took: Slow);
        _tester.Now = _tester.Circuit.OpenUntil;

        _tester.Attempt(CircuitOutcome.Success, took: Slow)!.To.ShouldBe(CircuitState.Open);
        _tester.Now = _tester.Circuit.OpenUntil;
        _tester.Attempt(CircuitOutcome.Success, took: 1)!.To.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Closing_forgets_the_slow_ones()
    {
        for (int i = 0; i < 10; i++)
            _tester.Attempt(CircuitOutcome.Success, took: Slow);
        _tester.Circuit.Close(_tester.Now)!.To.ShouldBe(CircuitState.Closed);

        for (int i = 0; i < 9; i++)
            _tester.Attempt(CircuitOutcome.Success, took: Slow).ShouldBeNull();
    }

    [Fact]
    public void A_caller_that_leaves_says_nothing_however_long_it_has_waited()
    {
        for (int i = 0; i < 20; i++)
            _tester.Attempt(CircuitOutcome.Neutral, took: Slow);

        _tester.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void An_isolated_one_lets_nothing_through_until_it_is_closed()
    {
        var running = _tester.Enter();
        _tester.Circuit.Isolate(0)!.To.ShouldBe(CircuitState.Isolated);
        _tester.Circuit.Isolate(0).ShouldBeNull();

        _tester.Now += 1_000_000_000;
        _tester.Enter().IsAllowed.ShouldBeFalse();
        _tester.Circuit.IsOpenAt(long.MaxValue).ShouldBeTrue();
        _tester.Report(running, CircuitOutcome.Success).ShouldBeNull();
        _tester.State.ShouldBe(CircuitState.Isolated);

        _tester.Circuit.Close(_tester.Now)!.To.ShouldBe(CircuitState.Closed);
        _tester.Enter().IsAllowed.ShouldBeTrue();
        _tester.Circuit.Close(_tester.Now).ShouldBeNull();
    }
}
