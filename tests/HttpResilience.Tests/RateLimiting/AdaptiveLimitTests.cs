namespace HttpResilience.Tests.RateLimiting;

/// <summary>How the limit of concurrent attempts finds itself. Latencies are in milliseconds.</summary>
public sealed class AdaptiveLimitTests
{
    private const int Quick = 30;

    private static readonly ConcurrencyPolicy Policy = new(1, 200, 1_000);

    private readonly AdaptiveLimit _limit = new();

    [Theory]
    [InlineData(1, 200, 20)]
    [InlineData(1, 7, 7)]
    [InlineData(50, 200, 50)]
    public void It_begins_at_20_within_its_bounds(int min, int max, int expected) =>
        _limit.Of(new(min, max, 1_000)).ShouldBe(expected);

    [Theory]
    [InlineData(79, 20, 20)]
    [InlineData(80, 20, 40)]
    [InlineData(80, 16, 40)]
    [InlineData(80, 15, 20)]
    public void A_window_of_four_limits_that_is_in_use_doubles_it_at_first(int attempts, int inFlight, int expected)
    {
        Answer(attempts, Quick, inFlight);

        _limit.Of(Policy).ShouldBe(expected);
    }

    [Fact]
    public void The_most_attempts_in_flight_in_a_window_show_whether_it_is_in_use()
    {
        Answer(40, Quick, inFlight: 20);
        Answer(40, Quick, inFlight: 1);

        _limit.Of(Policy).ShouldBe(40);
    }

    [Theory]
    [InlineData(5, 39, 1)]
    [InlineData(5, 40, 2)]
    [InlineData(15, 59, 1)]
    [InlineData(15, 60, 2)]
    [InlineData(60, 199, 1)]
    [InlineData(60, 200, 2)]
    public void A_window_has_four_times_the_limit_and_40_to_200_attempts(int limit, int attempts, int number)
    {
        for (int i = 0; i < attempts; i++)
            _limit.Count(new(limit, limit, 1_000), 1, limit, Quick, LoadSign.Answered);

        _limit.Number.ShouldBe(number);
    }

    [Fact]
    public void It_does_not_grow_beyond_its_maximum()
    {
        for (int window = 0; window < 10; window++)
            Window(Quick);

        _limit.Of(Policy).ShouldBe(200);
        _limit.Of(Policy with { MaxLimit = 1_000 }).ShouldBe(200);
    }

    [Theory]
    [InlineData(41, 80)]
    [InlineData(42, 80)]
    [InlineData(43, 26)]
    [InlineData(60, 20)]
    [InlineData(600, 20)]
    public void A_latency_of_more_than_one_and_four_tenths_of_the_usual_cuts_it_to_what_has_no_queue(int latency, int expected)
    {
        Window(Quick);

        Window(latency);

        _limit.Of(Policy).ShouldBe(expected);
    }

    [Fact]
    public void It_is_cut_from_what_is_in_flight_when_that_is_less()
    {
        Window(Quick);
        Window(Quick);
        _limit.Of(Policy).ShouldBe(80);

        Answer(200, 60, inFlight: 30);

        _limit.Of(Policy).ShouldBe(15);
    }

    [Fact]
    public void After_a_cut_that_helped_it_grows_by_half_its_root()
    {
        Window(Quick);
        Window(60);
        _limit.Of(Policy).ShouldBe(20);

        Window(Quick);
        _limit.Of(Policy).ShouldBe(22);
        Window(Quick);
        _limit.Of(Policy).ShouldBe(24);
    }

    [Theory]
    [InlineData(60, 20, 40)]
    [InlineData(60, 30, 40)]
    [InlineData(52, 20, 40)]
    // An improvement on 60 ms, though still a queue.
    [InlineData(50, 20, 11)]
    // With more than three quarters as many in flight nothing can be told.
    [InlineData(60, 31, 10)]
    public void A_cut_that_did_not_help_is_undone(int latency, int inFlight, int expected)
    {
        Window(Quick);
        Window(60);
        _limit.Of(Policy).ShouldBe(20);

        // Half of a window tells.
        Answer(40, latency, inFlight);

        (_limit.Of(Policy), _limit.Number).ShouldBe((expected, 4));
    }

    [Fact]
    public void A_host_that_has_become_slower_by_itself_has_its_limit_back_and_a_new_usual_latency()
    {
        for (int window = 0; window < 3; window++)
            Window(Quick);
        _limit.Of(Policy).ShouldBe(160);

        List<int> limits = [];
        for (int window = 0; window < 14; window++)
        {
            Window(90);
            limits.Add(_limit.Of(Policy));
        }

        // Three cuts, each undone; then it grows as at first.
        limits[..8].ShouldBe([80, 160, 80, 160, 101, 160, 200, 200]);
    }

    [Fact]
    public void A_cut_that_helped_ends_the_row_of_those_that_did_not()
    {
        Window(Quick);
        for (int row = 0; row < 3; row++)
        {
            // One that does not help, one that does.
            Window(90);
            Window(90);
            int before = _limit.Of(Policy);
            Window(90);
            _limit.Of(Policy).ShouldBeLessThan(before, $"row {row}");
            Window(Quick);
        }
    }

    [Fact]
    public void A_lower_latency_is_the_usual_one_after_a_few_windows_and_a_higher_one_hardly_ever()
    {
        Window(60);
        for (int window = 0; window < 8; window++)
            Answer(200, Quick, inFlight: 1);
        for (int window = 0; window < 8; window++)
            Answer(200, 40, inFlight: 1);
        int before = _limit.Of(Policy);

        Window(50);

        _limit.Of(Policy).ShouldBeLessThan(before);
    }

    [Fact]
    public void Where_latencies_differ_much_it_takes_more_to_say_that_they_are_longer()
    {
        Mixed(10, 90);

        Mixed(16, 144);
        _limit.Of(Policy).ShouldBe(80);

        Mixed(32, 288);
        _limit.Of(Policy).ShouldBeLessThan(80);

        void Mixed(int one, int other)
        {
            int number = _limit.Number, limit = _limit.Of(Policy);
            for (int i = 0; _limit.Number == number; i++)
                _limit.Count(Policy, number, limit, i % 2 == 0 ? one : other, LoadSign.Answered);
        }
    }

    [Fact]
    public void A_few_very_slow_answers_do_not_cut_it()
    {
        Window(Quick);
        for (int i = 0; _limit.Number == 2; i++)
            _limit.Count(Policy, 2, 40, i % 20 == 0 ? 1_500 : Quick, LoadSign.Answered);

        _limit.Of(Policy).ShouldBe(80);
    }

    [Theory]
    [InlineData(4, 20)]
    [InlineData(5, 18)]
    public void More_than_one_in_twenty_lost_to_overload_cut_it_by_a_tenth_at_once(int lost, int expected)
    {
        for (int i = 0; i < lost; i++)
            _limit.Count(Policy, 1, 20, 1, LoadSign.Overloaded);

        _limit.Of(Policy).ShouldBe(expected);
        _limit.Number.ShouldBe(expected == 18 ? 2 : 1);
    }

    [Fact]
    public void With_a_loss_it_does_not_grow()
    {
        _limit.Count(Policy, 1, 20, 1, LoadSign.Overloaded);

        Answer(79, Quick, 20);

        (_limit.Of(Policy), _limit.Number).ShouldBe((20, 2));
    }

    [Fact]
    public void After_a_loss_it_grows_by_half_its_root()
    {
        for (int i = 0; i < 5; i++)
            _limit.Count(Policy, 1, 20, 1, LoadSign.Overloaded);

        Window(Quick);

        _limit.Of(Policy).ShouldBe(20);
    }

    [Fact]
    public void A_small_limit_grows_by_one()
    {
        var small = Policy with { MaxLimit = 1 };
        for (int i = 0; i < 3; i++)
            _limit.Count(small, 1, 1, 1, LoadSign.Overloaded);
        _limit.Of(Policy).ShouldBe(1);

        Window(Quick);

        _limit.Of(Policy).ShouldBe(2);
    }

    [Fact]
    public void A_cut_for_losses_is_not_undone()
    {
        Window(Quick);
        Window(60);
        for (int i = 0; i < 5; i++)
            _limit.Count(Policy, _limit.Number, 20, 1, LoadSign.Overloaded);
        _limit.Of(Policy).ShouldBe(18);

        Answer(80, 60, 18);

        _limit.Of(Policy).ShouldBeLessThan(18);
    }

    [Fact]
    public void It_does_not_fall_below_its_minimum()
    {
        var policy = Policy with { MinLimit = 15 };
        for (int i = 0; i < 100; i++)
            _limit.Count(policy, _limit.Number, 20, 1, LoadSign.Overloaded);

        (_limit.Of(policy), _limit.Of(Policy)).ShouldBe((15, 15));
    }

    [Fact]
    public void Attempts_as_few_as_the_minimum_are_not_what_makes_a_host_slow()
    {
        Window(Quick);
        Window(Quick);
        int before = _limit.Of(Policy);

        for (int window = 0; window < 20; window++)
            Answer(200, 300, inFlight: 1);
        _limit.Of(Policy).ShouldBe(before);

        // It is the usual latency by now.
        Window(300);
        _limit.Of(Policy).ShouldBeGreaterThanOrEqualTo(before);
    }

    [Fact]
    public void Attempts_that_began_under_another_limit_or_say_nothing_do_not_count()
    {
        for (int i = 0; i < 1_000; i++)
        {
            _limit.Count(Policy, 2, 20, Quick, LoadSign.Answered);
            _limit.Count(Policy, 0, 20, 1, LoadSign.Overloaded);
            _limit.Count(Policy, 1, 20, Quick, LoadSign.None);
        }

        (_limit.Of(Policy), _limit.Number, _limit.MeanLatency).ShouldBe((20, 1, 0));
    }

    [Fact]
    public void The_mean_latency_is_that_of_the_last_window()
    {
        Answer(40, 10, 20);
        Answer(40, 30, 20);
        _limit.MeanLatency.ShouldBe(20);

        Window(50);
        _limit.MeanLatency.ShouldBe(50);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-5_000_000_000, 1)]
    [InlineData(long.MinValue, 0)]
    [InlineData(long.MaxValue, int.MaxValue)]
    public void Whatever_the_clock_says_it_stays_within_its_bounds(long latency, int inFlight)
    {
        for (int window = 0; window < 50; window++)
        {
            for (int i = 0; i < 200; i++)
                _limit.Count(Policy, _limit.Number, inFlight, latency, LoadSign.Answered);
            _limit.Of(Policy).ShouldBeInRange(1, 200);
            double.IsFinite(_limit.MeanLatency).ShouldBeTrue();
            Window(Quick);
        }

        // And it has not lost its measure.
        for (int window = 0; window < 60; window++)
            Window(Quick);
        int before = _limit.Of(Policy);
        before.ShouldBeGreaterThan(20);
        Window(300);
        _limit.Of(Policy).ShouldBeLessThan(before);
    }

    // A window in which the limit is in use.
    private void Window(long latency)
    {
        int number = _limit.Number, limit = _limit.Of(Policy);
        while (_limit.Number == number)
            _limit.Count(Policy, number, limit, latency, LoadSign.Answered);
    }

    private void Answer(int attempts, long latency, int inFlight)
    {
        for (int i = 0; i < attempts; i++)
            _limit.Count(Policy, _limit.Number, inFlight, latency, LoadSign.Answered);
    }
}
