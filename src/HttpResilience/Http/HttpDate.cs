using System.Globalization;

namespace HttpResilience;

/// <summary>Parses an HTTP-date in the three forms that a recipient must accept (RFC 9110 §5.6.7).</summary>
internal static class HttpDate
{
    private const int Longest = 40;

    internal static bool TryParse(ReadOnlySpan<char> value, DateTimeOffset now, out DateTimeOffset date)
    {
        date = default;
        if (value.Length > Longest)
            return false;

        int comma = value.IndexOf(',');
        if (comma < 0)
            return TryAsctime(value, out date);

        var rest = value[(comma + 1)..].Trim(' ');
        return rest.Contains('-') ? TryRfc850(rest, now, out date) : TryExact(rest, "dd MMM yyyy HH:mm:ss 'GMT'", out date);
    }

    // "Sun Nov  6 08:49:37 1994": a day below ten has a leading space.
    private static bool TryAsctime(ReadOnlySpan<char> value, out DateTimeOffset date)
    {
        date = default;
        return value.Length == 24 && value[3] == ' '
            && TryExact(value[4..], value[8] == ' ' ? "MMM  d HH:mm:ss yyyy" : "MMM dd HH:mm:ss yyyy", out date);
    }

    // "06-Nov-94 08:49:37 GMT": a year more than 50 years ahead means the latest past year with the same two digits.
    private static bool TryRfc850(ReadOnlySpan<char> value, DateTimeOffset now, out DateTimeOffset date)
    {
        date = default;
        if (value.Length != 22 || !int.TryParse(value.Slice(7, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int twoDigits))
            return false;

        int year = now.Year - now.Year % 100 + twoDigits;
        if (year < now.Year - 49)
            year += 100;
        for (; year > 0; year -= 100)
        {
            string full = $"{value[..7]}{year.ToString("0000", CultureInfo.InvariantCulture)}{value[9..]}";
            if (!TryExact(full, "dd-MMM-yyyy HH:mm:ss 'GMT'", out date))
                return false;
            // AddYears would overflow within 50 years of the maximum.
            if (now.Year > DateTimeOffset.MaxValue.Year - 50 || date <= now.AddYears(50))
                return true;
        }

        return false;
    }

    private static bool TryExact(ReadOnlySpan<char> value, string format, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(value, format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);
}
