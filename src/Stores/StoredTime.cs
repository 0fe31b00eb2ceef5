namespace HttpResilience;

/// <summary>
/// Points in time as every store holds them: UTC, in whole microseconds since 1970, the resolution of PostgreSQL. Finer digits are
/// truncated.
/// </summary>
internal static class StoredTime
{
    internal static long Microseconds(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond)) / TimeSpan.TicksPerMicrosecond;

    /// <exception cref="OverflowException">No calendar has such a time.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The year is not between 1 and 9999.</exception>
    internal static DateTimeOffset From(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(checked(microseconds * TimeSpan.TicksPerMicrosecond));

    /// <summary>The time, or the nearest one between the years 1 and 9999.</summary>
    internal static DateTimeOffset Nearest(long microseconds) =>
        From(Math.Clamp(microseconds, Microseconds(DateTimeOffset.MinValue), Microseconds(DateTimeOffset.MaxValue)));

    extension(DateTimeOffset time)
    {
        /// <summary>The sum, or the nearest time between the years 1 and 9999.</summary>
        internal DateTimeOffset Plus(TimeSpan duration) =>
            new(Math.Clamp(time.UtcTicks + duration.Ticks, 0, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);
    }

    internal static DateTimeOffset Cut(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
