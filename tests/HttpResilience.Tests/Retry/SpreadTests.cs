namespace HttpResilience.Tests.Retry;

/// <summary>What is added to a wait that the server asked for.</summary>
public sealed class SpreadTests
{
    private static readonly BackoffPolicy Policy = BackoffPolicy.From(new RetryOptions { Delay = TimeSpan.FromSeconds(2) });

    [Theory]
    [InlineData(JitterMode.Decorrelated, 30, 0.5)]
    [InlineData(JitterMode.Proportional, 30, 0.5)]
    [InlineData(JitterMode.Full, 30, 0.5)]
    [InlineData(JitterMode.Decorrelated, 1, 0.25)]
    [InlineData(JitterMode.Proportional, 0.1, 0.025)]
    [InlineData(JitterMode.Additive, 30, 0.199)]
    [InlineData(JitterMode.Additive, 0.1, 0.199)]
    [InlineData(JitterMode.None, 30, 0)]
    public void The_spread_is_at_most_the_jitter_of_one_delay(JitterMode mode, double askedSeconds, double mostSeconds)
    {
        var policy = Policy with { Jitter = mode };
        var asked = TimeSpan.FromSeconds(askedSeconds);
        var most = TimeSpan.FromSeconds(mostSeconds);

        Backoff.Spread(policy, asked, 0).ShouldBe(TimeSpan.Zero);
        Backoff.Spread(policy, asked, 0.5).ShouldBe(most / 2);
        Backoff.Spread(policy, asked, Math.BitDecrement(1.0)).ShouldBe(most, TimeSpan.FromTicks(2));
    }

    [Fact]
    public void The_spread_is_never_negative_and_never_overflows()
    {
        TimeSpan[] waits = [TimeSpan.Zero, TimeSpan.FromTicks(1), TimeSpan.FromDays(60), TimeSpan.MaxValue];
        foreach (var mode in Enum.GetValues<JitterMode>())
        {
            foreach (var asked in waits)
            {
                foreach (double random in new[] { 0, 0.5, Math.BitDecrement(1.0) })
                    Backoff.Spread(Policy with { Jitter = mode }, asked, random).ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(0.5));
            }
        }
    }
}
