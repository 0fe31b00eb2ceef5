namespace HttpResilience.Tests.Retry;

/// <summary>How far each jitter reaches, and that nothing overflows.</summary>
public sealed class BackoffJitterTests
{
    private const int Seed = 7;
    private const int Waits = 20_000;

    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(JitterMode.None, 10, 10)]
    [InlineData(JitterMode.Full, 0, 10)]
    [InlineData(JitterMode.Proportional, 7.5, 12.5)]
    [InlineData(JitterMode.Additive, 10, 13)]
    public void A_jitter_stays_between_its_bounds_and_fills_them_evenly(JitterMode mode, double from, double to)
    {
        var random = new Random(Seed);
        double[] seconds =
        [
            .. Enumerable.Range(0, Waits).Select(_ => Backoff.Delay(Policy(mode), 1, random.NextDouble(), random.NextDouble()).TotalSeconds)
        ];

        double width = to - from;
        seconds.Min().ShouldBeInRange(from, from + width / 100, $"seed {Seed}");
        seconds.Max().ShouldBeInRange(to - width / 100, to, $"seed {Seed}");
        seconds.Average().ShouldBe((from + to) / 2, width / 50 + 1e-6, $"seed {Seed}");
        if (width == 0)
            return;
        foreach (var tenth in seconds.GroupBy(s => Math.Min(9, (int)((s - from) / width * 10))))
            (tenth.Count() / (double)Waits).ShouldBe(0.1, 0.02, $"seed {Seed}, tenth {tenth.Key}");
    }

    [Theory]
    [InlineData(JitterMode.Full, 0, 60)]
    [InlineData(JitterMode.Proportional, 45, 75)]
    [InlineData(JitterMode.Additive, 60, 63)]
    public void Jitter_comes_after_the_cap(JitterMode mode, double from, double to)
    {
        var policy = Policy(mode) with { MaxDelay = TimeSpan.FromSeconds(60) };

        Backoff.Delay(policy, 50, 0, 0.5).TotalSeconds.ShouldBe(from, 1e-6);
        Backoff.Delay(policy, 50, Math.BitDecrement(1.0), 0.5).TotalSeconds.ShouldBe(to, 1e-6);
    }

    [Fact]
    public void Decorrelated_jitter_of_a_wait_that_does_not_grow_exponentially_is_proportional()
    {
        foreach (var type in new[] { BackoffType.Constant, BackoffType.Linear })
        {
            var decorrelated = Policy(JitterMode.Decorrelated) with { Type = type };
            var proportional = Policy(JitterMode.Proportional) with { Type = type };
            foreach (double random in new[] { 0, 0.3, 0.9 })
                Backoff.Delay(decorrelated, 3, random, 0.5).ShouldBe(Backoff.Delay(proportional, 3, random, 0.5));
        }
    }

    [Fact]
    public void No_number_of_retries_overflows_or_goes_below_nothing_or_far_beyond_the_cap()
    {
        int[] retries = [1, 2, 3, 10, 50, 63, 64, 1000, 1023, 1024, 1025, 1026, 2000, 1_000_000, int.MaxValue - 1, int.MaxValue];
        TimeSpan[] delays = [TimeSpan.Zero, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), TimeSpan.FromDays(1000)];
        TimeSpan?[] caps = [null, TimeSpan.Zero, TimeSpan.FromSeconds(60), TimeSpan.FromDays(1)];
        double[] factors = [1, 1.1, 2, 10];
        double[] randoms = [0, 0.5, Math.BitDecrement(1.0)];

        var cases = from type in Enum.GetValues<BackoffType>()
                    from mode in Enum.GetValues<JitterMode>()
                    from factor in factors
                    from delay in delays
                    from cap in caps
                    from retry in retries
                    from random in randoms
                    from previous in randoms
                    select (Policy(mode) with { Type = type, Factor = factor, Delay = delay, MaxDelay = cap }, retry, random, previous);
        foreach (var (policy, retry, random, previous) in cases)
        {
            TimeSpan wait = Backoff.Delay(policy, retry, random, previous);
            // The most that jitter adds: a quarter, or three seconds.
            TimeSpan longest = policy.MaxDelay is { } cap
                ? cap * 1.25 + TimeSpan.FromSeconds(3)
                : TimeSpan.FromTicks(1_000_000_000_000_000);
            if (wait < TimeSpan.Zero || wait > longest)
                Assert.Fail($"{policy.Type}, {policy.Jitter}, delay {policy.Delay}, factor {policy.Factor}, cap {policy.MaxDelay}, "
                    + $"retry {retry}, random {random}, previous {previous}: {wait}");
        }
    }

    [Fact]
    public void A_delay_of_nothing_stays_nothing_however_often_it_grows()
    {
        foreach (var mode in Enum.GetValues<JitterMode>().Except([JitterMode.Additive]))
        {
            foreach (var type in Enum.GetValues<BackoffType>())
            {
                var policy = Policy(mode) with { Type = type, Delay = TimeSpan.Zero, MaxDelay = TimeSpan.FromSeconds(60) };
                foreach (int retry in new[] { 1, 2, 5, 1024, 1025, 1026, 1027, 5000, int.MaxValue })
                    Backoff.Delay(policy, retry, 0.7, 0.2).ShouldBe(TimeSpan.Zero, $"{mode}, {type}, retry {retry}");
            }
        }
    }

    [Fact]
    public void A_delay_of_nothing_with_additive_jitter_is_the_jitter_however_often_it_grows()
    {
        var policy = Policy(JitterMode.Additive) with { Delay = TimeSpan.Zero, MaxDelay = TimeSpan.FromSeconds(60) };

        foreach (int retry in new[] { 1, 5, 1025, int.MaxValue })
            Backoff.Delay(policy, retry, 0.5, 0.2).ShouldBe(TimeSpan.FromSeconds(1.5), $"retry {retry}");
    }

    private static BackoffPolicy Policy(JitterMode mode) => new()
    {
        Type = BackoffType.Exponential,
        Delay = Delay,
        MaxDelay = null,
        Factor = 2,
        Jitter = mode,
        JitterFactor = 0.25,
        JitterMaximum = TimeSpan.FromSeconds(3),
    };
}
