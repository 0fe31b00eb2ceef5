namespace HttpResilience.Tests.Retry;

/// <summary>The formulas of the guides that the package follows, as tables: the options on the left, the waits on the right.</summary>
public sealed class BackoffFormulaTests
{
    [Fact]
    public void One_second_doubling_up_to_sixty_times_a_half_to_one_and_a_half()
    {
        var policy = Policy(o =>
        {
            (o.Delay, o.MaxDelay, o.BackoffFactor) = (Seconds(1), Seconds(60), 2);
            (o.Jitter.Mode, o.Jitter.Factor) = (JitterMode.Proportional, 0.5);
        });

        double[] seconds = [1, 2, 4, 8, 16, 32, 60, 60, 60];
        for (int retry = 1; retry <= seconds.Length; retry++)
            ShouldSpan(policy, retry, Seconds(seconds[retry - 1] * 0.5), Seconds(seconds[retry - 1] * 1.5));
    }

    [Fact]
    public void One_second_doubling_plus_or_minus_a_quarter()
    {
        var policy = Policy(o => (o.Jitter.Mode, o.Jitter.Factor) = (JitterMode.Proportional, 0.25));

        double[] seconds = [1, 2, 4, 8, 16, 32, 60];
        for (int retry = 1; retry <= seconds.Length; retry++)
            ShouldSpan(policy, retry, Seconds(seconds[retry - 1] * 0.75), Seconds(seconds[retry - 1] * 1.25));
    }

    [Fact]
    public void Two_to_the_power_of_n_seconds_plus_up_to_one_second()
    {
        var policy = Policy(o =>
        {
            (o.Delay, o.MaxDelay, o.BackoffFactor) = (Seconds(2), Seconds(64), 2);
            (o.Jitter.Mode, o.Jitter.Maximum) = (JitterMode.Additive, Seconds(1));
        });

        double[] seconds = [2, 4, 8, 16, 32, 64, 64];
        for (int retry = 1; retry <= seconds.Length; retry++)
            ShouldSpan(policy, retry, Seconds(seconds[retry - 1]), Seconds(seconds[retry - 1] + 1));
    }

    [Fact]
    public void Three_hundred_milliseconds_doubling_plus_up_to_199_for_five_retries()
    {
        var options = new RetryOptions { MaxRetryAttempts = 5, Delay = Milliseconds(300), Jitter = { Mode = JitterMode.Additive } };
        var policy = RetryPolicy.From(options, TimeSpan.TicksPerSecond);

        policy.MaxRetryAttempts.ShouldBe(5);
        double[] milliseconds = [300, 600, 1200, 2400, 4800];
        for (int retry = 1; retry <= milliseconds.Length; retry++)
            ShouldSpan(policy.Backoff, retry, Milliseconds(milliseconds[retry - 1]), Milliseconds(milliseconds[retry - 1] + 199));
    }

    [Theory]
    [InlineData(BackoffType.Constant, new double[] { 1, 1, 1, 1, 1 })]
    [InlineData(BackoffType.Linear, new double[] { 1, 2, 3, 4, 5 })]
    [InlineData(BackoffType.Exponential, new double[] { 1, 2, 4, 8, 16, 32, 60, 60 })]
    public void Each_type_grows_in_its_way(BackoffType type, double[] seconds)
    {
        var policy = Policy(o => (o.BackoffType, o.UseJitter) = (type, false));

        Waits(policy, seconds.Length).ShouldBe(seconds.Select(Seconds));
    }

    [Theory]
    [InlineData(1, new double[] { 1, 1, 1, 1 })]
    [InlineData(1.5, new double[] { 1, 1.5, 2.25, 3.375 })]
    [InlineData(3, new double[] { 1, 3, 9, 27, 60 })]
    [InlineData(10, new double[] { 1, 10, 60, 60 })]
    public void The_factor_is_what_it_grows_by(double factor, double[] seconds)
    {
        var policy = Policy(o => (o.BackoffFactor, o.UseJitter) = (factor, false));

        Waits(policy, seconds.Length).ShouldBe(seconds.Select(Seconds));
    }

    [Fact]
    public void Linear_growth_is_capped_too()
    {
        var policy = Policy(o => (o.BackoffType, o.MaxDelay, o.UseJitter) = (BackoffType.Linear, Seconds(2.5), false));

        Waits(policy, 4).ShouldBe([Seconds(1), Seconds(2), Seconds(2.5), Seconds(2.5)]);
    }

    [Fact]
    public void A_cap_below_the_first_delay_holds_from_the_first_retry()
    {
        foreach (var type in Enum.GetValues<BackoffType>())
        {
            var policy = Policy(o => (o.BackoffType, o.MaxDelay, o.UseJitter) = (type, Milliseconds(10), false));
            Waits(policy, 3).ShouldAllBe(wait => wait == Milliseconds(10));
        }
    }

    [Fact]
    public void Without_a_cap_it_grows_on()
    {
        var policy = Policy(o => (o.MaxDelay, o.UseJitter) = (null, false));

        Backoff.Delay(policy, 11, 0.5, 0.5).ShouldBe(Seconds(1024));
        Backoff.Delay(policy, 21, 0.5, 0.5).ShouldBe(Seconds(1024 * 1024));
    }

    [Theory]
    [InlineData(BackoffType.Constant, JitterMode.Proportional)]
    [InlineData(BackoffType.Linear, JitterMode.Proportional)]
    [InlineData(BackoffType.Exponential, JitterMode.Decorrelated)]
    public void Without_a_mode_the_jitter_is_what_Polly_does_for_the_type(BackoffType type, JitterMode expected) =>
        Policy(o => o.BackoffType = type).Jitter.ShouldBe(expected);

    [Fact]
    public void A_mode_is_kept_and_UseJitter_false_overrides_it()
    {
        foreach (var mode in Enum.GetValues<JitterMode>())
        {
            Policy(o => o.Jitter.Mode = mode).Jitter.ShouldBe(mode);
            Policy(o => (o.Jitter.Mode, o.UseJitter) = (mode, false)).Jitter.ShouldBe(JitterMode.None);
        }
    }

    private static void ShouldSpan(BackoffPolicy policy, int retry, TimeSpan from, TimeSpan to)
    {
        Backoff.Delay(policy, retry, 0, 0.5).ShouldBe(from, $"retry {retry}");
        Backoff.Delay(policy, retry, 0.5, 0.5).ShouldBe((from + to) / 2, $"retry {retry}");
        Backoff.Delay(policy, retry, Math.BitDecrement(1.0), 0.5).ShouldBe(to, Milliseconds(0.001), $"retry {retry}");
    }

    private static IEnumerable<TimeSpan> Waits(BackoffPolicy policy, int retries) =>
        Enumerable.Range(1, retries).Select(retry => Backoff.Delay(policy, retry, 0.5, 0.5));

    private static BackoffPolicy Policy(Action<RetryOptions> configure)
    {
        var options = new RetryOptions();
        configure(options);
        return BackoffPolicy.From(options);
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static TimeSpan Milliseconds(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
