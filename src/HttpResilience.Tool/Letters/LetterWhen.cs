using System.Globalization;

namespace HttpResilience.Tool;

/// <summary>Times as lists and letters show them, in UTC.</summary>
internal static class LetterWhen
{
    /// <summary>For a list: how long ago within a day, else the day.</summary>
    internal static string InList(DateTimeOffset time, DateTimeOffset now) => (now - time) switch
    {
        { TotalDays: >= 1 } or { TotalMinutes: < -1 } => time.UtcDateTime.ToString("d MMM, HH:mm", CultureInfo.InvariantCulture),
        { TotalMinutes: < 1 } => "just now",
        { TotalHours: < 1 } minutes => Ago((int)minutes.TotalMinutes, "minute"),
        var hours => Ago((int)hours.TotalHours, "hour"),
    };

    /// <summary>In full.</summary>
    internal static string InFull(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    internal static string Times(int sent) => sent == 1 ? "sent once"
        : string.Create(CultureInfo.InvariantCulture, $"sent {sent} times");

    private static string Ago(int number, string unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {unit}{(number == 1 ? "" : "s")} ago");
}
