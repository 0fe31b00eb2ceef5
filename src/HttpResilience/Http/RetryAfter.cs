using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// How long a server asks to wait: <c>retry-after-ms</c>, <c>x-ms-retry-after-ms</c> (milliseconds), then <c>Retry-After</c>
/// (RFC 9110 §10.2.3: delay-seconds or HTTP-date). The first valid one wins.
/// </summary>
internal static class RetryAfter
{
    private const int LongestNumber = 32;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    /// <param name="now">What dates are read against when the response has no <c>Date</c> of its own.</param>
    /// <returns>Null when the server does not ask, or not in a form that can be read; zero when it names a time that has passed.</returns>
    internal static TimeSpan? Of(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var raw = headers.NonValidated;
        return Longest(raw, "retry-after-ms", Milliseconds) ?? Longest(raw, "x-ms-retry-after-ms", Milliseconds)
            ?? Longest(raw, "Retry-After", value => SecondsOrDate(value, raw, now));
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
        Number(value, TimeSpan.TicksPerSecond) ?? UntilDate(value, headers, now);

    // Digits, and a fraction as some servers send. No sign, no exponent, none of the NUL bytes that the platform's parser lets pass; what does not
    // fit is no answer.
    private static TimeSpan? Number(string value, long unit)
    {
        var digits = value.AsSpan().Trim(" \t");
        if (digits.Length is 0 or > LongestNumber || digits[0] == '.' || digits.ContainsAnyExcept(NumberCharacters)
            || !decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            || number > long.MaxValue / unit)
            return null;

        // Up: a wait is never shorter than asked.
        return TimeSpan.FromTicks((long)decimal.Ceiling(number * unit));
    }

    private static TimeSpan? UntilDate(string value, HttpHeadersNonValidated headers, DateTimeOffset now)
    {
        if (headers.TryGetValues("Date", out var dates) && dates.Count == 1 && HttpDate.TryParse(dates.ToString().AsSpan().Trim(" \t"), now, out var sent))
            now = sent;
        if (!HttpDate.TryParse(value.AsSpan().Trim(" \t"), now, out var date))
            return null;
        return date > now ? date - now : TimeSpan.Zero;
    }
}
