using System.Globalization;

namespace HttpResilience.AspNetCore;

/// <summary>How times are written: in one zone, English, and from the server's clock alone.</summary>
/// <param name="Now">The time of the page.</param>
/// <param name="Zone">The reader's zone, or UTC.</param>
internal sealed record PageTimes(DateTimeOffset Now, TimeZoneInfo Zone)
{
    private const string InvariantUtc = "yyyy-MM-dd HH:mm:ss 'UTC'";

    internal bool IsUtc => Zone.Equals(TimeZoneInfo.Utc);

    /// <summary>The name of the zone at the time of the page: <c>UTC</c>, or its offset.</summary>
    internal string ZoneName => IsUtc ? "UTC" : Invariant($"UTC{Sign}{Local(Now).Offset:hh\\:mm}");

    private string Sign => Local(Now).Offset < TimeSpan.Zero ? "−" : "+";

    /// <summary>For <c>datetime=</c>.</summary>
    internal static string Machine(DateTimeOffset at) =>
        at.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>For <c>title=</c>: always UTC.</summary>
    internal static string Utc(DateTimeOffset at) => at.ToUniversalTime().ToString(InvariantUtc, CultureInfo.InvariantCulture);

    /// <summary>The whole time, to the second.</summary>
    internal string Full(DateTimeOffset at) => Format(at, "d MMM yyyy, HH:mm:ss");

    /// <summary>The day and the minute.</summary>
    internal string Short(DateTimeOffset at) => Format(at, Local(at).Year == Local(Now).Year ? "d MMM, HH:mm" : "d MMM yyyy, HH:mm");

    /// <summary>The day.</summary>
    internal string Day(DateTimeOffset at) => Format(at, "d MMM");

    /// <summary>The minute, and the day unless it is today.</summary>
    internal string Clock(DateTimeOffset at) => Local(at).Date == Local(Now).Date ? Format(at, "HH:mm") : Short(at);

    /// <summary>The second, for the time of the page.</summary>
    internal string Second(DateTimeOffset at) => $"{Format(at, "HH:mm:ss")} {ZoneName}";

    /// <summary>Younger than a day in words, else <see cref="Short"/>.</summary>
    internal string Ago(DateTimeOffset at)
    {
        var age = Now - at;
        return age < TimeSpan.FromSeconds(-1) ? Clock(at)
            : age < TimeSpan.FromSeconds(2) ? "now"
            : age < TimeSpan.FromMinutes(1) ? $"{(int)age.TotalSeconds} seconds ago"
            : age < TimeSpan.FromHours(1) ? Count((int)age.TotalMinutes, "minute") + " ago"
            : age < TimeSpan.FromDays(1) ? Count((int)age.TotalHours, "hour") + " ago"
            : Short(at);
    }

    /// <summary>A length of time in one unit, such as <c>18 minutes</c>.</summary>
    internal static string Length(TimeSpan length) =>
        length < TimeSpan.FromMinutes(1) ? Count(Math.Max(0, (int)length.TotalSeconds), "second")
        : length < TimeSpan.FromHours(1) ? Count((int)length.TotalMinutes, "minute")
        : length < TimeSpan.FromDays(2) ? Count((int)length.TotalHours, "hour")
        : Count((int)length.TotalDays, "day");

    /// <summary>A number with commas and its word, such as <c>1,204 letters</c>.</summary>
    internal static string Count(long count, string one, string? many = null) =>
        Invariant($"{count:#,0} {(count == 1 ? one : many ?? one + "s")}");

    internal static string Number(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    internal static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private DateTimeOffset Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Zone);

    private string Format(DateTimeOffset at, string format) => Local(at).ToString(format, CultureInfo.InvariantCulture);
}
