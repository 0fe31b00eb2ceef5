namespace HttpResilience.Tests.Retry;

/// <summary>The decorrelated jitter: Polly's at a factor of two, the same shape around the wait without jitter at any other.</summary>
public sealed class DecorrelatedJitterTests
{
    private const int Seed = 11;
    private const int Calls = 5_000;

    private static readonly BackoffPolicy Policy = BackoffPolicy.From(new RetryOptions());

    [Fact]
    public void At_a_factor_of_two_it_is_what_Polly_computes()
    {
        var random = new Random(Seed);
        var uncapped = Policy with { MaxDelay = null };
        for (int call = 0; call < 1000; call++)
        {
            double curveBefore = 0;
            double randomBefore = 0;
            for (int retry = 1; retry <= 12; retry++)
            {
                double now = random.NextDouble();
                double expected = PollysDelay(retry - 1, now, ref curveBefore);
                Backoff.Delay(uncapped, retry, now, randomBefore).TotalSeconds.ShouldBe(
                    expected, 1e-6 * (1 + expected), $"seed {Seed}, call {call}, retry {retry}");
                randomBefore = now;
            }
        }
    }

    [Fact]
    public void The_median_of_the_first_wait_is_near_Delay() => Median(Policy, retry: 1).ShouldBe(1, 0.15, $"seed {Seed}");

    [Theory]
    [InlineData(1)]
    [InlineData(1.2)]
    [InlineData(1.5)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public void The_median_of_every_wait_keeps_up_with_the_wait_without_jitter(double factor)
    {
        var policy = Policy with { Factor = factor, MaxDelay = null };
        for (int retry = 1; retry <= 8; retry++)
        {
            double plain = Backoff.Delay(policy with { Jitter = JitterMode.None }, retry, 0, 0).TotalSeconds;
            (Median(policy, retry) / plain).ShouldBeInRange(0.45, 1.1, $"seed {Seed}, retry {retry}");
        }
    }

    [Fact]
    public void The_waits_of_many_clients_do_not_cluster()
    {
        for (int retry = 1; retry <= 4; retry++)
        {
            double[] waits = Waits(Policy, retry);
            double width = waits.Max() / 20;
            foreach (var part in waits.GroupBy(w => (int)(w / width)))
                (part.Count() / (double)Calls).ShouldBeLessThan(
                    0.1, $"seed {Seed}, retry {retry}, {part.Key * width:0.00} s to {(part.Key + 1) * width:0.00} s");
        }
    }

    [Fact]
    public void No_wait_is_longer_than_the_cap()
    {
        for (int retry = 1; retry <= 20; retry++)
            Waits(Policy, retry).Max().ShouldBeLessThanOrEqualTo(60, $"seed {Seed}, retry {retry}");
        Waits(Policy, 20).Min().ShouldBe(60, $"seed {Seed}");
    }

    [Fact]
    public void The_first_wait_does_not_depend_on_a_random_number_before_it() =>
        Backoff.Delay(Policy, 1, 0.4, 0.9).ShouldBe(Backoff.Delay(Policy, 1, 0.4, 0));

    private static double Median(BackoffPolicy policy, int retry) => Waits(policy, retry).Order().ElementAt(Calls / 2);

    private static double[] Waits(BackoffPolicy policy, int retry)
    {
        var random = new Random(Seed);
        return
        [
            .. Enumerable.Range(0, Calls).Select(_ => Backoff.Delay(policy, retry, random.NextDouble(), random.NextDouble()).TotalSeconds)
        ];
    }

    // DecorrelatedJitterBackoffV2 of Polly.Core's RetryHelper, for a base delay of one second.
    private static double PollysDelay(int attempt, double random, ref double previous)
    {
        const double PFactor = 4.0;
        const double RpScalingFactor = 1 / 1.4d;
        double t = attempt + random;
        double next = Math.Pow(2, t) * Math.Tanh(Math.Sqrt(PFactor * t));
        double intrinsic = next - previous;
        previous = next;
        return intrinsic * RpScalingFactor;
    }
}
