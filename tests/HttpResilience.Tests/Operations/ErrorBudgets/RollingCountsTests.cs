namespace HttpResilience.Tests.Operations.ErrorBudgets;

public sealed class RollingCountsTests
{
    // A Wednesday, 12:00:00.
    private const long Noon = 1_893_585_600;

    private static readonly TimeSpan FiveMinutes = TimeSpan.FromMinutes(5), Hour = TimeSpan.FromHours(1),
        SixHours = TimeSpan.FromHours(6), ThreeDays = TimeSpan.FromDays(3);

    [Theory]
    [InlineData(5, 299, 1)]
    [InlineData(5, 300, 0)]
    [InlineData(30, 1799, 1)]
    [InlineData(30, 1800, 0)]
    [InlineData(60, 3599, 1)]
    [InlineData(60, 3600, 0)]
    [InlineData(360, 21599, 1)]
    [InlineData(360, 21600, 0)]
    [InlineData(4320, 259_199, 1)]
    [InlineData(4320, 259_200, 0)]
    [InlineData(43_200, 2_591_999, 1)]
    [InlineData(43_200, 2_592_000, 0)]
    [InlineData(129_600, 7_775_999, 1)]
    [InlineData(129_600, 7_776_000, 0)]
    public void A_count_at_the_start_of_a_bucket_is_forgotten_exactly_when_the_window_has_passed(int windowMinutes,
        long secondsLater, long failures)
    {
        var history = At(Noon);
        history.Add(new(10, 1));
        history.MoveTo(Noon + secondsLater);

        history.Sum(TimeSpan.FromMinutes(windowMinutes)).ShouldBe(new(10 * failures, failures));
    }

    [Fact]
    public void A_window_between_two_lengths_uses_the_finest_buckets_that_cover_it()
    {
        var history = At(Noon);
        history.Add(new(1, 0));
        history.MoveTo(Noon + 90 * 60 - 1);

        (history.Sum(TimeSpan.FromMinutes(90)).Calls, history.Sum(TimeSpan.FromMinutes(85)).Calls).ShouldBe((1, 0));
    }

    [Fact]
    public void Reused_buckets_hold_no_earlier_counts()
    {
        var history = At(Noon);
        for (int minute = 0; minute < 200_000; minute++)
        {
            history.MoveTo(Noon + (minute * 60));
            history.Add(new(2, 1));
        }

        history.Sum(FiveMinutes).ShouldBe(new(10, 5));
        history.Sum(Hour).ShouldBe(new(120, 60));
        // The current bucket: 200 000 minutes end in the 20th minute of an hour, and in the 140th of 6 hours.
        history.Sum(ThreeDays).ShouldBe(new(2 * ((71 * 60) + 20), (71 * 60) + 20));
        history.Sum(TimeSpan.FromDays(90)).Calls.ShouldBe(2 * ((359 * 360) + 200));
    }

    [Theory, InlineData(1), InlineData(120)]
    public void A_slightly_late_count_belongs_to_the_current_bucket(long late)
    {
        var history = At(Noon);
        history.MoveTo(Noon - late);
        history.Add(new(1, 1));
        history.MoveTo(Noon + 299);

        history.Sum(FiveMinutes).ShouldBe(new(1, 1));
    }

    [Theory, InlineData(3600), InlineData(86400 * 400)]
    public void Counts_keep_their_age_when_the_clock_is_set_back(long by)
    {
        var history = At(Noon);
        history.Add(new(10, 1));
        history.MoveTo(Noon + 120);
        history.Add(new(1, 1));

        history.MoveTo(Noon + 120 - by);

        history.Sum(FiveMinutes).ShouldBe(new(11, 2));
        history.MoveTo(Noon + 120 - by + 180);
        history.Sum(FiveMinutes).ShouldBe(new(1, 1));
        history.Sum(Hour).ShouldBe(new(11, 2));
        history.Sum(TimeSpan.FromDays(30)).ShouldBe(new(11, 2));
    }

    [Fact]
    public void Counts_age_when_the_clock_jumps_ahead_and_new_calls_count_also_after_it_is_corrected()
    {
        var history = At(Noon);
        history.Add(new(10, 1));
        history.MoveTo(Noon + (86400L * 365 * 300));
        history.Sum(TimeSpan.FromDays(90)).ShouldBe(default);
        history.Add(new(3, 3));

        history.MoveTo(Noon + 60);
        history.Add(new(4, 0));

        history.Sum(FiveMinutes).ShouldBe(new(7, 3));
        history.MoveTo(Noon + 400);
        history.Sum(FiveMinutes).ShouldBe(default);
    }

    [Theory, InlineData(0), InlineData(-5000), InlineData(long.MinValue / 1_000_000_000)]
    public void A_clock_that_was_never_set_does_no_harm(long second)
    {
        var history = At(second);
        history.Add(new(1, 0));

        history.Sum(Hour).ShouldBe(new(1, 0));
    }

    [Fact]
    public void Counts_of_other_processes_go_into_their_own_bucket_unless_they_are_too_old()
    {
        var history = At(Noon);
        history.Add(Noon - 200, new(1, 0));
        history.Add(Noon - 2000, new(10, 0));
        history.Add(Noon - 20_000, new(100, 0));
        history.Add(Noon - 200_000, new(1000, 0));
        history.Add(Noon - 2_000_000, new(10_000, 0));
        history.Add(Noon - 20_000_000, new(100_000, 0));
        history.Add(Noon + 500, new(5, 5));

        history.Sum(FiveMinutes).Calls.ShouldBe(6);
        history.Sum(Hour).Calls.ShouldBe(16);
        history.Sum(SixHours).Calls.ShouldBe(116);
        history.Sum(ThreeDays).Calls.ShouldBe(1116);
        history.Sum(TimeSpan.FromDays(30)).Calls.ShouldBe(11_116);
        history.Sum(TimeSpan.FromDays(90)).Calls.ShouldBe(11_116);
    }

    private static RollingCounts At(long second)
    {
        var history = new RollingCounts();
        history.MoveTo(second);
        return history;
    }
}
