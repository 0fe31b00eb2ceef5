namespace HttpResilience.Tests.Retry;

/// <summary>How much retries may add. Time is in milliseconds.</summary>
public sealed class RetryBudgetTests
{
    private readonly RetryBudget _budget = new();
    private long _now = 1_000_000;

    [Fact]
    public void The_defaults_are_a_fifth_of_the_calls_of_ten_seconds_and_ten_more()
    {
        Policy().ShouldBe(new RetryBudgetPolicy(0.2, 10, 1_000));
    }

    [Fact]
    public void Without_a_ratio_there_is_no_budget()
    {
        RetryBudgetPolicy.From(new RetryBudgetOptions { RetryRatio = null }, 1000).ShouldBeNull();
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(4, 11)]
    [InlineData(100, 30)]
    [InlineData(1000, 210)]
    public void So_many_calls_allow_so_many_retries(int calls, int retries)
    {
        Calls(calls);

        Spent(Policy(), atMost: 2000).ShouldBe(retries);
    }

    [Fact]
    public void When_the_sampling_duration_has_passed_there_are_new_ones()
    {
        Spent(Policy(), 100).ShouldBe(10);
        _now += 9_000;
        Spent(Policy(), 100).ShouldBe(0);
        _now += 1_000;
        Spent(Policy(), 100).ShouldBe(10);
    }

    [Fact]
    public void The_calls_before_the_first_retry_count_until_the_sampling_duration_has_passed()
    {
        var budget = new RetryBudget(callsBefore: 1000, madeAt: _now);

        Spent(budget, Policy(), 1000).ShouldBe(210);
        _now += 10_000;
        Spent(budget, Policy(), 1000).ShouldBe(10);
    }

    [Fact]
    public void Retries_after_timeouts_are_spread_over_the_sampling_duration()
    {
        var budget = new RetryBudget(callsBefore: 100, madeAt: _now);

        long[] slots = [.. Enumerable.Range(0, 4).Select(_ => budget.Spread(Policy(), _now + 500, long.MaxValue, _now) - _now)];

        // 30 retries in 10 s.
        slots.ShouldBe([500, 833, 1166, 1499]);
        budget.Spread(Policy(), _now + 5_000, long.MaxValue, _now).ShouldBe(_now + 5_000);
    }

    [Fact]
    public void A_retry_that_would_be_too_late_is_not_spread()
    {
        var budget = new RetryBudget(callsBefore: 100, madeAt: _now);
        budget.Spread(Policy(), _now + 500, long.MaxValue, _now);

        budget.Spread(Policy(), _now + 600, latest: _now + 800, _now).ShouldBe(_now + 600);
        budget.Spread(Policy(), _now + 600, latest: _now + 834, _now).ShouldBe(_now + 833);
    }

    [Fact]
    public void At_a_hundred_percent_failure_the_load_stays_within_one_fifth_more()
    {
        var policy = Policy();
        int calls = 0, sent = 0;
        for (int second = 0; second < 600; second++, _now += 1_000)
        {
            for (int call = 0; call < 100; call++)
            {
                calls++;
                sent++;
                _budget.CountCall(policy, _now);
                for (int retry = 0; retry < 3 && _budget.TrySpend(policy, _now); retry++)
                    sent++;
            }
        }

        ((double)sent / calls).ShouldBeInRange(1.19, 1.2 + 10.0 / 1000);
    }

    private static RetryBudgetPolicy Policy() => RetryBudgetPolicy.From(new RetryBudgetOptions(), frequency: 1000)!;

    private void Calls(int count)
    {
        for (int i = 0; i < count; i++)
            _budget.CountCall(Policy(), _now);
    }

    private int Spent(RetryBudgetPolicy policy, int atMost) => Spent(_budget, policy, atMost);

    private int Spent(RetryBudget budget, RetryBudgetPolicy policy, int atMost)
    {
        int spent = 0;
        while (spent < atMost && budget.TrySpend(policy, _now))
            spent++;
        return spent;
    }
}
