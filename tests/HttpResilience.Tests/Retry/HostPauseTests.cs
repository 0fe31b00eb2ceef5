namespace HttpResilience.Tests.Retry;

/// <summary>When calls go to a host that has asked to be left alone. Time is in milliseconds.</summary>
public sealed class HostPauseTests
{
    private const long Never = long.MaxValue;
    private const long Spread = 1000;

    [Fact]
    public void Without_a_wish_of_the_host_a_call_goes_at_once()
    {
        new HostPause().AdmitAt(5000, 5000, ahead: int.MaxValue, Never, Spread, 0.5).ShouldBe(5000);
    }

    [Theory]
    [InlineData(10_000, 0.0, 40_000)]
    [InlineData(10_000, 0.999, 40_999)]
    [InlineData(20_000, 0.0, 60_000)]
    [InlineData(39_999, 0.0, 99_998)]
    public void Waiting_calls_return_in_order_of_arrival_at_half_the_pace(long arrival, double random, long expected)
    {
        var pause = new HostPause();
        pause.Extend(now: 10_000, until: 40_000);

        pause.AdmitAt(arrival, arrival, ahead: int.MaxValue, Never, Spread, random).ShouldBe(expected);
    }

    [Theory, InlineData(0, 40_000), InlineData(1, 40_050), InlineData(7, 40_350), InlineData(100_000, 98_000)]
    public void When_no_calls_arrive_because_all_wait_the_pace_is_half_of_the_one_before(int ahead, long expected)
    {
        var pause = new HostPause();
        pause.Extend(now: 10_000, until: 40_000, pace: 25, measuredOver: 30_000);

        pause.AdmitAt(39_000, 39_000, ahead, Never, Spread, 0).ShouldBe(expected);
    }

    [Fact]
    public void A_pace_that_was_measured_over_a_pause_does_not_slow_down_the_next()
    {
        var pause = new HostPause();
        pause.Extend(10_000, 11_000, pace: 25, measuredOver: 30_000);
        pause.Extend(12_000, 13_000, pace: 500, measuredOver: 30_000);
        pause.AdmitAt(12_900, 12_900, ahead: 4, Never, Spread, 0).ShouldBe(13_200);

        pause.Extend(43_001, 44_000, pace: 500, measuredOver: 30_000);
        pause.AdmitAt(43_900, 43_900, ahead: 1, Never, Spread, 0).ShouldBe(45_000);
    }

    [Fact]
    public void A_pace_that_was_measured_since_the_end_of_the_last_pause_may_still_contain_it()
    {
        var pause = new HostPause();
        pause.Extend(10_000, 13_000, pace: 25, measuredOver: 30_000);

        pause.Extend(43_000, 44_000, pace: 500, measuredOver: 30_000);

        pause.AdmitAt(43_900, 43_900, ahead: 1, Never, Spread, 0).ShouldBe(44_050);
    }

    [Fact]
    public void A_call_that_waits_alone_goes_when_the_pause_ends()
    {
        var pause = new HostPause();
        pause.Extend(now: 0, until: 10_000);

        pause.AdmitAt(4000, 4000, ahead: 0, Never, Spread, 0).ShouldBe(10_000);
        pause.AdmitAt(4500, 4500, ahead: 1, Never, Spread, 0).ShouldBe(19_000);
        pause.Extend(now: 10_000, until: 20_000);
        pause.AdmitAt(10_000, 10_000, ahead: 0, Never, Spread, 0).ShouldBe(20_000);
    }

    [Fact]
    public void A_pause_begins_when_none_is_in_force()
    {
        var pause = new HostPause();

        pause.Extend(10_000, 40_000).ShouldBeTrue();
        pause.Extend(20_000, 30_000).ShouldBeFalse();
        pause.Extend(20_000, 50_000).ShouldBeFalse();
        pause.Extend(50_000, 50_000).ShouldBeFalse();
        pause.Extend(50_000, 60_000).ShouldBeTrue();
    }

    [Fact]
    public void Waiting_calls_are_counted()
    {
        var pause = new HostPause();

        (pause.Enter(), pause.Enter()).ShouldBe((0, 1));
        pause.Leave();
        pause.Enter().ShouldBe(1);
    }

    [Fact]
    public void When_it_is_over_a_call_goes_at_once()
    {
        var pause = new HostPause();
        pause.Extend(10_000, 40_000);

        pause.AdmitAt(40_000, 40_000, ahead: int.MaxValue, Never, Spread, 0.5).ShouldBe(40_000);
        pause.AdmitAt(40_000, 10_000, ahead: int.MaxValue, Never, Spread, 0.5).ShouldBe(40_000);
        pause.AdmitAt(39_999, 39_999, ahead: int.MaxValue, Never, Spread, 0.5).ShouldNotBe(39_999);
    }

    [Fact]
    public void A_call_whose_deadline_comes_first_is_refused()
    {
        var pause = new HostPause();
        pause.Extend(10_000, 40_000);

        pause.AdmitAt(20_000, 20_000, ahead: int.MaxValue, deadline: 40_000, Spread, 0.5).ShouldBeNull();
        pause.AdmitAt(20_000, 20_000, ahead: int.MaxValue, deadline: 40_001, Spread, 0.5).ShouldBe(40_000);
    }

    [Theory, InlineData(0.0), InlineData(0.5), InlineData(0.999)]
    public void Spreading_out_does_not_make_a_call_miss_its_deadline(double random)
    {
        var pause = new HostPause();
        pause.Extend(10_000, 40_000);

        pause.AdmitAt(39_000, 39_000, ahead: int.MaxValue, deadline: 42_000, Spread, random)!.Value.ShouldBeInRange(40_000, 41_000);
    }

    [Fact]
    public void The_longest_wish_holds()
    {
        var pause = new HostPause();
        pause.Extend(10_000, 40_000);
        pause.Extend(11_000, 20_000);
        pause.Until.ShouldBe(40_000);
        pause.Extend(12_000, 50_000);
        pause.Until.ShouldBe(50_000);
    }

    [Fact]
    public void Calls_that_came_together_in_a_short_pause_are_spread_over_no_more_than_it_lasted()
    {
        var pause = new HostPause();
        pause.Extend(10_000, 10_100);

        pause.AdmitAt(10_000, 10_000, ahead: int.MaxValue, Never, Spread, 0.999)!.Value.ShouldBeInRange(10_100, 10_199);
    }

    [Theory]
    [InlineData(70_000, 25_000, 108_000)]
    [InlineData(42_500, 11_000, 80_000)]
    [InlineData(42_500, 10_500, 80_000)]
    [InlineData(50_000, 50_000, 158_000)]
    [InlineData(90_000, 25_000, 108_000)]
    [InlineData(120_000, 25_000, 120_000)]
    [InlineData(90_000, 80_000, 90_000)]
    public void A_host_that_asks_again_finds_those_that_wait_in_their_order_and_pace_with_the_new_ones_behind_them(
        long now, long arrival, long expected)
    {
        var pause = new HostPause();
        pause.Extend(now: 10_000, until: 40_000);
        // Those that came in the first second have gone by then.
        pause.Extend(now: 42_000, until: 80_000);

        pause.AdmitAt(now, arrival, ahead: int.MaxValue, Never, Spread, 0).ShouldBe(expected);
    }

    [Theory]
    [InlineData(99_998, 110_000 + 2 * (105_000 - 39_999))]
    [InlineData(100_000, 110_000 + 2 * (105_000 - 100_000))]
    [InlineData(101_000, 110_000 + 2 * (105_000 - 101_000))]
    public void When_the_last_of_those_that_waited_has_gone_a_pause_begins_anew(long again, long expected)
    {
        var pause = new HostPause();
        pause.Extend(now: 10_000, until: 40_000);
        pause.Extend(again, until: 110_000);

        pause.AdmitAt(105_000, 105_000, ahead: int.MaxValue, Never, Spread, 0).ShouldBe(expected);
    }

    /// <summary>Ten thousand random sequences against the rules said plainly.</summary>
    [Fact]
    public void No_call_is_sent_before_the_longest_pause_ends_or_after_its_own_deadline()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        for (int sequence = 0; sequence < 10_000; sequence++)
        {
            var pause = new HostPause();
            long now = 1, longest = 0;
            for (int step = 0; step < 20; step++)
            {
                now += random.Next(0, 5_000);
                if (random.Next(3) == 0)
                {
                    long until = now + random.Next(0, 20_000);
                    pause.Extend(now, until);
                    longest = Math.Max(longest, until);
                    continue;
                }

                long deadline = random.Next(4) == 0 ? Never : now + random.Next(1, 30_000);
                long arrival = now - (random.Next(2) == 0 ? 0 : random.Next(0, 30_000));
                long? admitted = pause.AdmitAt(now, arrival, ahead: int.MaxValue, deadline, Spread, random.NextDouble());
                string because = $"seed {seed}, sequence {sequence}, step {step}";
                if (longest <= arrival)
                    admitted.ShouldBe(now, because);
                else if (longest <= now)
                    admitted.ShouldNotBeNull(because).ShouldBeInRange(now, Math.Max(now, deadline - 1), because);
                else if (longest >= deadline)
                    admitted.ShouldBeNull(because);
                else
                    admitted.ShouldNotBeNull(because).ShouldBeInRange(longest, deadline - 1, because);
            }
        }
    }
}
