using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>Formats durations for people, in their two largest units.</summary>
internal static class Durations
{
    internal static string Show(TimeSpan duration) => duration switch
    {
        { TotalDays: >= 1 } => Two(duration.Days, "d", duration.Hours, "h"),
        { TotalHours: >= 1 } => Two(duration.Hours, "h", duration.Minutes, "min"),
        { TotalMinutes: >= 1 } => Two(duration.Minutes, "min", duration.Seconds, "s"),
        _ => Two(duration.Seconds, "s", 0, ""),
    };

    private static string Two(int large, string unit, int small, string smallUnit) => small == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{large} {unit}")
        : string.Create(CultureInfo.InvariantCulture, $"{large} {unit} {small} {smallUnit}");
}
