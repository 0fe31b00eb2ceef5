namespace HttpResilience.Tests.Clients;

public sealed class LatencyWindowTests
{
    private const long Frequency = 1_000_000;

    private long _now = 1;

    [Fact]
    public void Nothing_is_known_before_a_hundred_latencies()
    {
        var window = new LatencyWindow(Frequency);
        for (int i = 0; i < LatencyWindow.MinForHedging - 1; i++)
            window.Add(30_000, _now);
        window.HedgeDelay.ShouldBeNull();

        window.Add(30_000, _now);

        window.HedgeDelay.ShouldNotBeNull();
        window.Timeout.ShouldBeNull();
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(33_333)]
    [InlineData(5_000_000)]
    public void The_delay_is_the_latency_of_a_steady_host_and_at_most_an_eighth_more(long latency)
    {
        var window = Filled(2000, _ => latency);

        window.HedgeDelay!.Value.ShouldBeInRange(latency, latency * 9 / 8 + 1);
    }

    [Fact]
    public void Five_percent_that_are_slow_do_not_pull_the_delay_up()
    {
        var random = new Random(7);
        var window = Filled(5000, _ => random.NextDouble() < 0.95 ? 30_000 : 1_500_000);

        window.HedgeDelay!.Value.ShouldBeInRange(30_000, 34_000);
    }

    [Fact]
    public void Ten_percent_that_are_slow_are_the_hosts_own_latency()
    {
        var window = Filled(5000, i => i % 10 == 0 ? 1_500_000 : 30_000);

        window.HedgeDelay!.Value.ShouldBeGreaterThan(1_400_000);
    }

    [Fact]
    public void The_timeout_is_three_times_the_slowest_of_a_thousand_and_at_least_a_second()
    {
        Filled(5000, i => i % 500 == 0 ? 2_000_000 : 30_000).Timeout!.Value.ShouldBeInRange(6_000_000, 6_800_000);
        Filled(5000, i => i % 5000 == 7 ? 20_000_000 : 30_000).Timeout.ShouldBe(Frequency);
        Filled(999, _ => 30_000).Timeout.ShouldBeNull();
    }

    [Fact]
    public void What_is_minutes_old_is_forgotten()
    {
        var window = Filled(3000, _ => 2_000_000);
        for (int minute = 0; minute < 3; minute++)
        {
            _now += 61 * Frequency;
            for (int i = 0; i < 2000; i++)
                window.Add(30_000, _now);
        }

        window.HedgeDelay!.Value.ShouldBeInRange(30_000, 34_000);
        window.Timeout.ShouldBe(Frequency);
    }

    [Fact]
    public void The_few_latencies_of_a_quiet_host_are_kept_for_ten_minutes()
    {
        var window = new LatencyWindow(Frequency);
        for (int i = 0; i < 150; i++)
        {
            _now += 4 * Frequency;
            window.Add(30_000, _now);
        }

        window.HedgeDelay.ShouldNotBeNull();
    }

    [Fact]
    public void One_request_in_twenty_may_be_sent_a_second_time_and_ten_at_once()
    {
        var window = new LatencyWindow(Frequency);
        Enumerable.Range(0, 20).Count(_ => window.TryHedge()).ShouldBe(10);
        for (int i = 0; i < 19; i++)
            window.CountRequest();
        window.TryHedge().ShouldBeFalse();
        window.CountRequest();
        (window.TryHedge(), window.TryHedge()).ShouldBe((true, false));

        for (int i = 0; i < 100_000; i++)
            window.CountRequest();
        Enumerable.Range(0, 20).Count(_ => window.TryHedge()).ShouldBe(10);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void A_latency_out_of_all_bounds_is_counted_at_the_end_of_the_scale(long latency)
    {
        var window = Filled(2000, _ => latency);

        (window.HedgeDelay > 0, window.Timeout >= Frequency).ShouldBe((true, true));
    }

    [Fact]
    public void Every_quantile_is_that_of_the_sorted_latencies_within_a_step()
    {
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage("seed {0}", seed);
        var random = new Random(seed);
        for (int run = 0; run < 2_000; run++)
        {
            int count = random.Next(1100, 1400);
            double spread = random.NextDouble() * 4;
            long[] latencies = [.. Enumerable.Range(0, count).Select(_ => (long)(1000 * Math.Exp(spread * random.NextDouble())))];
            var window = new LatencyWindow(Frequency);
            foreach (long latency in latencies)
                window.Add(latency, _now);

            // The last computation.
            long[] sorted = [.. latencies.Take(100 + (count - 100) / 32 * 32).Order()];
            double quantile = 0.95 - 2 * Math.Sqrt(0.95 * 0.05 / sorted.Length);
            long exact = sorted[(int)Math.Ceiling(quantile * sorted.Length) - 1];
            window.HedgeDelay!.Value.ShouldBeInRange(exact, exact * 9 / 8 + 2, $"seed {seed}, {run}");
            exact = sorted[(int)Math.Ceiling(0.999 * sorted.Length) - 1];
            window.Timeout!.Value.ShouldBeInRange(Frequency, Math.Max(Frequency, exact * 27 / 8 + 6), $"seed {seed}, {run}");
        }
    }

    private LatencyWindow Filled(int count, Func<int, long> latency)
    {
        var window = new LatencyWindow(Frequency);
        for (int i = 0; i < count; i++)
            window.Add(latency(i), _now);
        return window;
    }
}
