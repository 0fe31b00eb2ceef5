using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// The wait that a server asks for: <c>retry-after-ms</c>, <c>x-ms-retry-after-ms</c> (milliseconds), then <c>Retry-After</c>
/// (RFC 9110 §10.2.3: delay-seconds or HTTP-date). The first valid one wins. <see cref="RateLimitFields"/> come after them.
/// </summary>
internal static class RetryAfter
{
    private static readonly string[] Names = ["retry-after-ms", "x-ms-retry-after-ms", "Retry-After"];

    private const int MaxDigits = 32;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    /// <param name="now">The reference time when the response has no <c>Date</c>.</param>
    /// <returns>Null without a readable hint; zero when its time has passed.</returns>
    internal static TimeSpan? Of(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var raw = headers.NonValidated;
        return Longest(raw, Names[0], Milliseconds) ?? Longest(raw, Names[1], Milliseconds)
            ?? Longest(raw, Names[2], value => SecondsOrDate(value, raw, now));
    }

    /// <summary>The name of an unreadable hint of a response without a readable one; null when there is none.</summary>
    internal static string? UnreadableIn(HttpResponseHeaders headers) =>
        Array.Find(Names, headers.NonValidated.Contains) ?? RateLimitFields.UnreadableIn(headers);

    /// <summary>A number of seconds, with a fraction as some servers send it; null when it is invalid or too large.</summary>
    internal static TimeSpan? Seconds(ReadOnlySpan<char> value) => Number(value, TimeSpan.TicksPerSecond);

    /// <summary>The time until a date by the server's clock; zero when it has passed.</summary>
    internal static TimeSpan Until(DateTimeOffset date, HttpHeadersNonValidated headers, DateTimeOffset now)
    {
        now = SentAt(headers, now);
        return date > now ? date - now : TimeSpan.Zero;
    }

    private static TimeSpan? Longest(HttpHeadersNonValidated headers, string name, Func<string, TimeSpan?> parse)
    {
        if (!headers.TryGetValues(name, out var values))
            return null;

        TimeSpan? longest = null;
        foreach (string value in values)
        {
            if (parse(value) is { } wait && !(wait <= longest))
                longest = wait;
        }

        return longest;
    }

    private static TimeSpan? Milliseconds(string value) => Number(value, TimeSpan.TicksPerMillisecond);

    private static TimeSpan? SecondsOrDate(string value, HttpHeadersNonValidated headers, DateTimeOffset now) =>
        Seconds(value)
            ?? (HttpDate.TryParse(value.AsSpan().Trim(" \t"), SentAt(headers, now), out var date) ? Until(date, headers, now) : null);

    // Digits and point only: the platform's parser also accepts signs, exponents and NUL bytes. A number that is too large is invalid.
    private static TimeSpan? Number(ReadOnlySpan<char> value, long unit)
    {
        var digits = value.Trim(" \t");
        if (digits.Length is 0 or > MaxDigits || digits[0] == '.' || digits.ContainsAnyExcept(NumberCharacters)
            || !decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            || number > long.MaxValue / unit)
            return null;

        // Rounded up, so that a wait is never shorter than asked.
        return TimeSpan.FromTicks((long)decimal.Ceiling(number * unit));
    }

    private static DateTimeOffset SentAt(HttpHeadersNonValidated headers, DateTimeOffset now) =>
        headers.TryGetValues("Date", out var dates) && dates.Count == 1
            && HttpDate.TryParse(dates.ToString().AsSpan().Trim(" \t"), now, out var sent) ? sent : now;
}
