using System.Globalization;

namespace HttpResilience;

/// <summary>
/// Parses an HTTP-date: the three forms that a recipient must accept (RFC 9110 §5.6.7), and the variants that the platform's
/// <c>HttpResponseHeaders</c> reads, as servers write them: UTC, an offset (RFC 5322) or no zone, a day or an hour of one digit, no
/// weekday. A weekday is not compared with the date.
/// </summary>
internal static class HttpDate
{
    private const int Longest = 40;
    private const string LeapSecond = "23:59:60";
    private const DateTimeStyles Styles =
        DateTimeStyles.AllowInnerWhite | DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;

    private static readonly string[] Zones = ["", " 'GMT'", " 'UTC'", " zzz"];
    private static readonly string[] FullYear = [.. Zones.Select(zone => "d MMM yyyy H:m:s" + zone)];
    private static readonly string[] TwoDigitYear =
        [.. Zones.SelectMany(zone => (string[])["d MMM yy H:m:s" + zone, "d'-'MMM'-'yy H:m:s" + zone])];

    /// <summary>
    /// Whether the value has one of the three forms of RFC 9110 §5.6.7: IMF-fixdate, that of RFC 850, that of asctime.
    /// </summary>
    internal static bool IsStandard(ReadOnlySpan<char> value)
    {
        if (value is [_, _, _, ' ', _, _, _, ' ', _, _, ' ', _, _, ':', _, _, ':', _, _, ' ', _, _, _, _])
            return true;
        int comma = value.IndexOf(", ");
        return comma == 3
            ? value[5..] is [_, _, ' ', _, _, _, ' ', _, _, _, _, ' ', _, _, ':', _, _, ':', _, _, ' ', 'G', 'M', 'T']
            : comma > 3 && value[(comma + 2)..] is [_, _, '-', _, _, _, '-', _, _, ' ', _, _, ':', _, _, ':', _, _, ' ', 'G', 'M', 'T'];
    }

    internal static bool TryParse(ReadOnlySpan<char> value, DateTimeOffset now, out DateTimeOffset date)
    {
        date = default;
        if (value.Length > Longest)
            return false;

        int leap = value.IndexOf(LeapSecond);
        if (leap < 0)
            return TryParseForm(value, now, out date);
        // RFC 9110 §5.6.7 allows it; no form of the platform does.
        if (!TryParseForm($"{value[..leap]}23:59:59{value[(leap + LeapSecond.Length)..]}", now, out date)
            || date > DateTimeOffset.MaxValue.AddSeconds(-1))
            return false;
        date = date.AddSeconds(1);
        return true;
    }

    private static bool TryParseForm(ReadOnlySpan<char> value, DateTimeOffset now, out DateTimeOffset date)
    {
        // "Sun Nov  6 08:49:37 1994", the form of asctime, begins with a weekday and has no comma.
        int comma = value.IndexOf(',');
        if (comma < 0 && value.Length > 4 && char.IsAsciiLetter(value[0]))
        {
            date = default;
            return value[3] == ' ' && TryExact(value[4..], ["MMM d H:m:s yyyy"], DateTimeFormatInfo.InvariantInfo, out date);
        }

        date = default;
        if (comma >= 0 && !IsWord(value[..comma]))
            return false;
        var rest = value[(comma + 1)..].Trim(' ');
        return TryExact(rest, FullYear, DateTimeFormatInfo.InvariantInfo, out date) || TryTwoDigitYear(rest, now, out date);
    }

    // "06-Nov-94 08:49:37 GMT": a year more than 50 years ahead means the latest past year with the same two digits.
    private static bool TryTwoDigitYear(ReadOnlySpan<char> value, DateTimeOffset now, out DateTimeOffset date)
    {
        var format = (DateTimeFormatInfo)DateTimeFormatInfo.InvariantInfo.Clone();
        format.Calendar = new GregorianCalendar { TwoDigitYearMax = Math.Clamp(now.Year + 50, 99, DateTimeOffset.MaxValue.Year) };
        if (!TryExact(value, TwoDigitYear, format, out date))
            return false;

        // AddYears would overflow within 50 years of the maximum.
        if (now.Year > DateTimeOffset.MaxValue.Year - 50 || date <= now.AddYears(50))
            return true;
        if (date.Year <= 100)
            return false;
        date = date.AddYears(-100);
        return true;
    }

    private static bool IsWord(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExceptInRange('A', 'z');

    private static bool TryExact(ReadOnlySpan<char> value, string[] forms, DateTimeFormatInfo format, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(value, forms, format, Styles, out date);
}
