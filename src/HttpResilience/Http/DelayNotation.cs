using System.Buffers;
using System.Globalization;

namespace HttpResilience;

/// <summary>
/// The notations in which servers write a delay, or the time at which it ends: a number of seconds or milliseconds, from now or since 1970,
/// ISO 8601, an HTTP-date, a duration of Go. A time that has passed, or is more than 50 years ahead, is no delay.
/// </summary>
internal static class DelayNotation
{
    private const int MaxDigits = 32;
    private const int MaxLength = 40;

    // A larger number (over thirty years) is a time since 1970: in seconds, or in milliseconds.
    private const decimal EpochSeconds = 1_000_000_000;
    private const decimal EpochMilliseconds = 1_000_000_000_000;

    // A date that far ahead is a mistake: RFC 9110 §5.6.7 takes the same limit for a year of two digits.
    private static readonly TimeSpan Absurd = TimeSpan.FromDays(50 * 366);

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Name, decimal Ticks)[] GoUnits =
    [
        ("ms", TimeSpan.TicksPerMillisecond), ("us", TimeSpan.TicksPerMicrosecond), ("\u00b5s", TimeSpan.TicksPerMicrosecond),
        ("\u03bcs", TimeSpan.TicksPerMicrosecond), ("ns", 0.01m), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond),
    ];

    /// <summary>A number of seconds, or seconds or milliseconds since 1970; null when it is invalid, too large, or no delay.</summary>
    internal static TimeSpan? Seconds(ReadOnlySpan<char> value, DateTimeOffset now) => Number(value) switch
    {
        null => null,
        > EpochMilliseconds and var number => Until(number, TimeSpan.TicksPerMillisecond, now),
        > EpochSeconds and var number => Until(number, TimeSpan.TicksPerSecond, now),
        var number => ToTimeSpan(number.Value * TimeSpan.TicksPerSecond),
    };

    /// <summary>A number of milliseconds, or milliseconds since 1970.</summary>
    internal static TimeSpan? Milliseconds(ReadOnlySpan<char> value, DateTimeOffset now) => Number(value) switch
    {
        null => null,
        > EpochMilliseconds and var number => Until(number, TimeSpan.TicksPerMillisecond, now),
        var number => ToTimeSpan(number.Value * TimeSpan.TicksPerMillisecond),
    };

    /// <summary>Any of the notations.</summary>
    internal static TimeSpan? Any(ReadOnlySpan<char> value, DateTimeOffset now) =>
        Seconds(value, now) ?? Iso8601(value.Trim(" \t"), now) ?? GoDuration(value.Trim(" \t")) ?? HttpDateOf(value.Trim(" \t"), now);

    /// <summary>A number as header fields have it: digits and a point.</summary>
    internal static decimal? Number(ReadOnlySpan<char> value)
    {
        // The platform's parser also accepts signs, exponents and NUL bytes.
        var digits = value.Trim(" \t");
        return digits.Length is > 0 and <= MaxDigits && digits[0] != '.' && !digits.ContainsAnyExcept(NumberCharacters)
            && decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            && number <= long.MaxValue
                ? number : null;
    }

    // "2026-03-01T12:00:30Z", also with a fraction, an offset, or without seconds. The platform's parser reads many other forms.
    private static TimeSpan? Iso8601(ReadOnlySpan<char> value, DateTimeOffset now) =>
        value.Length is >= 16 and <= MaxLength && value[4] == '-' && value[7] == '-' && value[10] is 'T' or 't' or ' '
            && value.IndexOfAnyExceptInRange(' ', 'z') < 0
            && DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
                ? Until(date, now) : null;

    private static TimeSpan? HttpDateOf(ReadOnlySpan<char> value, DateTimeOffset now) =>
        HttpDate.TryParse(value, now, out var date) ? Until(date, now) : null;

    // "1m0s", "6m59.56s", "20ms".
    private static TimeSpan? GoDuration(ReadOnlySpan<char> value)
    {
        if (value.Length is 0 or > MaxLength)
            return null;

        decimal ticks = 0;
        while (!value.IsEmpty)
        {
            int end = value.IndexOfAnyExcept(NumberCharacters);
            if (end <= 0 || Number(value[..end]) is not { } number || UnitOf(value[end..]) is not { } unit
                || number > long.MaxValue / unit.Ticks)
                return null;
            ticks += number * unit.Ticks;
            value = value[(end + unit.Name.Length)..];
        }

        return ToTimeSpan(ticks);
    }

    private static (string Name, decimal Ticks)? UnitOf(ReadOnlySpan<char> text)
    {
        foreach (var unit in GoUnits)
        {
            if (text.StartsWith(unit.Name, StringComparison.Ordinal))
                return unit;
        }

        return null;
    }

    private static TimeSpan? Until(decimal sinceEpoch, long unit, DateTimeOffset now) =>
        ToTimeSpan(sinceEpoch * unit) is { } since && since <= DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch
            ? Until(DateTimeOffset.UnixEpoch + since, now) : null;

    private static TimeSpan? Until(DateTimeOffset date, DateTimeOffset now) =>
        date - now is var wait && wait > TimeSpan.Zero && wait <= Absurd ? wait : null;

    // Rounded up, so that a wait is never shorter than asked.
    private static TimeSpan? ToTimeSpan(decimal ticks) =>
        ticks <= long.MaxValue ? TimeSpan.FromTicks((long)decimal.Ceiling(ticks)) : null;
}
