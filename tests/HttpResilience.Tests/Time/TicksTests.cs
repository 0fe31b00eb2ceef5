using System.Numerics;

namespace HttpResilience.Tests.Time;

/// <summary>Conversions between durations and timestamp ticks, against arithmetic without bounds.</summary>
public class TicksTests
{
    private static readonly long[] Frequencies = [1, 1000, 10_000_000, 1_000_000_000, 24_000_000, 3_579_545];

    private static readonly long[] Values =
    [
        0, 1, -1, 2, 9, 10, 11, 99, 100, 101, 10_010_000, -10_010_000, 10_000_001, -10_000_001, 9_007_199_254_740_993, 864_000_000_000,
        long.MaxValue, long.MaxValue - 1, long.MinValue, long.MinValue + 1,
    ];

    public static TheoryData<long, long> Cases() => [.. Frequencies.SelectMany(_ => Values, (frequency, value) => (value, frequency))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_duration_becomes_timestamp_ticks_exactly_and_rounded_up(long duration, long frequency) =>
        Ticks.Of(new(duration), frequency).ShouldBe(RoundedUp(duration, frequency, TimeSpan.TicksPerSecond));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Timestamp_ticks_become_a_duration_exactly_and_rounded_up(long ticks, long frequency) =>
        Ticks.ToDuration(ticks, frequency).Ticks.ShouldBe(RoundedUp(ticks, TimeSpan.TicksPerSecond, frequency));

    [Theory]
    [InlineData(1001, 1000, 1001)]
    [InlineData(1, 1, 1)]
    [InlineData(0, 1, 0)]
    [InlineData(1, 3_579_545, 3580)]
    [InlineData(-1, 3_579_545, -3579)]
    public void Milliseconds_become_timestamp_ticks(long milliseconds, long frequency, long expected) =>
        Ticks.Of(TimeSpan.FromMilliseconds(milliseconds), frequency).ShouldBe(expected);

    [Fact]
    public void A_wait_for_the_ticks_of_a_duration_is_never_shorter_than_the_duration()
    {
        foreach (long frequency in Frequencies)
        {
            for (long duration = 0; duration < 100_000_000; duration += 999_983)
                Ticks.ToDuration(Ticks.Of(new(duration), frequency), frequency).Ticks.ShouldBeGreaterThanOrEqualTo(duration);
        }
    }

    [Fact]
    public void The_clock_tells_its_own_frequency()
    {
        var clock = new ManualTimeProvider();
        long due = clock.GetTimestamp() + clock.ToTicks(TimeSpan.FromSeconds(2));
        clock.TimeUntil(due).ShouldBe(TimeSpan.FromSeconds(2));
        clock.Advance(TimeSpan.FromSeconds(3));
        clock.TimeUntil(due).ShouldBe(TimeSpan.FromSeconds(-1));
    }

    private static long RoundedUp(long value, long numerator, long denominator)
    {
        var quotient = BigInteger.DivRem(new BigInteger(value) * numerator, denominator, out var remainder);
        return (long)BigInteger.Clamp(remainder > 0 ? quotient + 1 : quotient, long.MinValue, long.MaxValue);
    }
}
