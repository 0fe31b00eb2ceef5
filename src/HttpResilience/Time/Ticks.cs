namespace HttpResilience;

/// <summary>
/// Converts between durations and the timestamp ticks of a clock, exactly and rounded up: a wait is never shorter than asked. A duration
/// beyond the range of the result becomes the longest there is.
/// </summary>
internal static class Ticks
{
    /// <summary>The timestamp ticks of a duration.</summary>
    /// <param name="frequency">Timestamp ticks per second.</param>
    internal static long Of(TimeSpan duration, long frequency) => Scale(duration.Ticks, frequency, TimeSpan.TicksPerSecond);

    /// <summary>The duration of timestamp ticks.</summary>
    /// <param name="frequency">Timestamp ticks per second.</param>
    internal static TimeSpan ToDuration(long ticks, long frequency) => new(Scale(ticks, TimeSpan.TicksPerSecond, frequency));

    extension(TimeProvider time)
    {
        /// <inheritdoc cref="Of"/>
        internal long ToTicks(TimeSpan duration) => Of(duration, time.TimestampFrequency);

        /// <summary>From now until the timestamp <paramref name="due"/>; negative when that is over.</summary>
        internal TimeSpan TimeUntil(long due) => ToDuration(due - time.GetTimestamp(), time.TimestampFrequency);
    }

    // Division truncates toward zero, which rounds up a negative result.
    private static long Scale(long value, long numerator, long denominator)
    {
        var (quotient, remainder) = Int128.DivRem((Int128)value * numerator, denominator);
        return long.CreateSaturating(remainder > 0 ? quotient + 1 : quotient);
    }
}
