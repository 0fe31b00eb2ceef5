namespace HttpResilience.Tests.Retry;

/// <summary>How much retries may add. Time is in milliseconds.</summary>
public sealed class RetryBudgetTests
{
    private readonly RetryBudget _budget = new();
    private long _now = 1_000_000;

    [Fact]
    public void The_defaults_are_a_fifth_of_the_calls_of_ten_seconds_and_ten_more()
    {
        Policy().ShouldBe(new RetryBudgetPolicy(0.2, 10, 1_000) { MaxWait = 10_000 });
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
    public void A_retry_beyond_the_budget_waits_until_those_before_it_are_old_and_each_further_one_a_turn_longer()
    {
        Spent(Policy(), 100).ShouldBe(10);
        _now += 6_000;

        // They are old after 10 s; the ten of one second make room one by one, and then it is one retry in a second.
        Reserved(due: 0, count: 8).ShouldBe([4_100, 5_100, 6_100, 7_100, 8_100, 9_100, null, null]);
    }

    [Fact]
    public void Retries_that_were_spread_make_room_one_by_one()
    {
        for (int i = 0; i < 10; i++, _now += 800)
            Spent(Policy(), 1).ShouldBe(1);

        Reserved(due: 0, count: 9).ShouldBe([2_500, 3_500, 4_500, 5_500, 6_500, 7_500, 8_500, 9_500, null]);
    }

    [Fact]
    public void Its_own_delay_is_no_wait_for_the_budget_and_does_not_hold_back_others()
    {
        for (int i = 0; i < 10; i++, _now += 800)
            Spent(Policy(), 1).ShouldBe(1);

        Reserved(due: 60_000, count: 1).ShouldBe([60_000]);
        Reserved(due: 0, count: 1).ShouldBe([3_500]);
    }

    [Fact]
    public void Nobody_goes_before_those_that_wait()
    {
        for (int i = 0; i < 10; i++, _now += 800)
            Spent(Policy(), 1).ShouldBe(1);
        Reserved(due: 0, count: 3).ShouldBe([2_500, 3_500, 4_500]);

        _now += 5_400;
        Spent(Policy(), 100).ShouldBe(0);
        _now += 101;
        // Of the last 10 s there are five from before, and the three.
        Spent(Policy(), 100).ShouldBe(2);
    }

    [Theory]
    [InlineData(2_500, null)]
    [InlineData(2_501, 2_500)]
    public void A_retry_whose_turn_is_not_before_its_last_time_is_refused_and_takes_no_turn(int latest, int? turn)
    {
        for (int i = 0; i < 10; i++, _now += 800)
            Spent(Policy(), 1).ShouldBe(1);

        (_budget.Reserve(Policy(), _now, _now + latest, 100, _now) - _now).ShouldBe(turn);
        Reserved(due: 0, count: 1).ShouldBe([turn is null ? 2_500 : 3_500]);
    }

    [Theory]
    [InlineData(0.0, 0)]
    [InlineData(0.2, 0)]
    public void Without_a_retry_that_is_allowed_none_waits(double ratio, int few)
    {
        Calls(4);
        var none = new RetryBudgetPolicy(ratio, few, 1_000) { MaxWait = 5_000 };

        while (_budget.TrySpend(none, _now))
        {
        }

        _budget.Reserve(none, _now, long.MaxValue, 100, _now).ShouldBeNull();
    }

    [Fact]
    public void Without_MaxWait_a_retry_beyond_the_budget_is_refused()
    {
        var impatient = RetryBudgetPolicy.From(new() { MaxWait = null }, 1000)!;
        for (int i = 0; i < 10; i++, _now += 950)
            Spent(impatient, 1).ShouldBe(1);

        _budget.Reserve(impatient, _now, long.MaxValue, 100, _now).ShouldBeNull();
    }

    [Fact]
    public void No_more_wait_at_once_than_may()
    {
        for (int i = 0; i < 10; i++, _now += 800)
            Spent(Policy(), 1).ShouldBe(1);

        // The turns are 2.5, 3.5, 4.5 and 5.5 s away.
        Waiting(3).ShouldBe([true, true, true, false]);
        _now += 2_600;
        Waiting(3).ShouldBe([true, false, false, false]);
        _now += 60_000;
        Spent(Policy(), 100).ShouldBe(10);

        IEnumerable<bool> Waiting(int places) =>
            [.. Enumerable.Range(0, 4).Select(_ => _budget.Reserve(Policy(), _now, long.MaxValue, places, _now) is not null)];
    }

    [Fact]
    public void However_many_wait_no_more_are_sent_than_the_budget_allows()
    {
        int seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        List<long> sent = [];
        long begin = _now;
        // 100 calls a second, of which two in three fail, for two minutes.
        for (; _now < begin + 120_000; _now += 10)
        {
            Calls(1);
            if (random.Next(3) == 0)
                continue;
            if (_budget.TrySpend(Policy(), _now))
                sent.Add(_now);
            else if (_budget.Reserve(Policy(), _now, long.MaxValue, 1000, _now) is { } at)
                sent.Add(at);
        }

        foreach (int second in Enumerable.Range(20, 90))
            sent.Count(at => at >= begin + second * 1000 && at < begin + (second + 10) * 1000).ShouldBeInRange(170, 240, $"seed {seed}");
    }

    private IEnumerable<long?> Reserved(long due, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => _budget.Reserve(Policy(), _now + due, long.MaxValue, 100, _now) - _now)];

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
