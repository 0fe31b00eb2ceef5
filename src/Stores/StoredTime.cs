namespace HttpResilience;

/// <summary>
/// Points in time as every store holds them: UTC, in whole microseconds since 1970, the resolution of PostgreSQL. Finer digits are
/// truncated.
/// </summary>
internal static class StoredTime
{
    internal static long Microseconds(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond)) / TimeSpan.TicksPerMicrosecond;

    internal static DateTimeOffset From(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    internal static DateTimeOffset Cut(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
