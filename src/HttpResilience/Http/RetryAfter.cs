using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// The wait that a server asks for: <c>retry-after-ms</c>, <c>x-ms-retry-after-ms</c>, <c>x-amz-retry-after</c> (milliseconds), then
/// <c>Retry-After</c> (RFC 9110 §10.2.3: delay-seconds or HTTP-date). Servers also write the time since 1970. The first valid one wins.
/// <see cref="RateLimitFields"/> come after them.
/// </summary>
internal static class RetryAfter
{
    private const string Field = "Retry-After";

    private static readonly string[] InMilliseconds = ["retry-after-ms", "x-ms-retry-after-ms", "x-amz-retry-after"];

    /// <param name="now">The reference time when the response has no <c>Date</c>.</param>
    /// <returns>Null without a readable hint; zero when its time has passed.</returns>
    internal static TimeSpan? Of(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var raw = headers.NonValidated;
        if (raw.Count == 0)
            return null;
        foreach (string name in InMilliseconds)
        {
            if (Longest(raw, name, now, DelayNotation.Milliseconds) is { } wait)
                return wait;
        }

        return Longest(raw, Field, now, SecondsOrDate);
    }

    /// <summary>The name of an unreadable hint of a response without a readable one; null when there is none.</summary>
    /// <param name="isRejected">The status is 429.</param>
    internal static string? UnreadableIn(HttpResponseHeaders headers, bool isRejected)
    {
        var raw = headers.NonValidated;
        if (raw.Count == 0)
            return null;
        foreach (string name in InMilliseconds)
        {
            if (raw.Contains(name))
                return name;
        }

        return raw.Contains(Field) ? Field : RateLimitFields.UnreadableIn(headers, isRejected);
    }

    /// <summary>
    /// The time by the clock of the server, which its dates are read against, so that a wrong clock of ours does not matter.
    /// </summary>
    internal static DateTimeOffset SentAt(HttpHeadersNonValidated headers, DateTimeOffset now) =>
        headers.TryGetValues("Date", out var dates) && dates.Count == 1
            && HttpDate.TryParse(dates.ToString().AsSpan().Trim(" \t"), now, out var sent) ? sent : now;

    private static TimeSpan? Longest(
        HttpHeadersNonValidated headers, string name, DateTimeOffset now, Func<ReadOnlySpan<char>, DateTimeOffset, TimeSpan?> parse)
    {
        if (!headers.TryGetValues(name, out var values))
            return null;

        var sentAt = SentAt(headers, now);
        TimeSpan? longest = null;
        foreach (string value in values)
        {
            foreach (var line in JoinedLines.Of(value))
            {
                if (parse(line, sentAt) is { } wait && !(wait <= longest))
                    longest = wait;
            }
        }

        return longest;
    }

    private static TimeSpan? SecondsOrDate(ReadOnlySpan<char> value, DateTimeOffset sentAt)
    {
        if (DelayNotation.Seconds(value, sentAt) is { } wait)
            return wait;
        if (!HttpDate.TryParse(value.Trim(" \t"), sentAt, out var date))
            return null;
        return date > sentAt ? date - sentAt : TimeSpan.Zero;
    }
}
