using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// The time until an exhausted quota is reset: <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers, <c>"default";r=0;t=30</c>, and its
/// older form <c>limit=100, remaining=0, reset=30</c>), then <c>X-RateLimit-Reset</c> and <c>RateLimit-Reset</c> beside a remaining count
/// of 0. The first valid one wins. It is a hint for the next request and does not mean that this one was rejected.
/// </summary>
internal static class RateLimitFields
{
    private const string Field = "RateLimit";

    // A larger number of seconds (over thirty years) is a time since 1970.
    private static readonly TimeSpan Epoch = TimeSpan.FromSeconds(1_000_000_000);

    private static readonly (string Remaining, string Reset)[] Pairs =
        [("X-RateLimit-Remaining", "X-RateLimit-Reset"), ("RateLimit-Remaining", "RateLimit-Reset")];

    /// <param name="now">The reference time when the response has no <c>Date</c>.</param>
    /// <returns>Null when no quota is exhausted, or the fields are unreadable; zero when the quota is reset already.</returns>
    internal static TimeSpan? Of(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var raw = headers.NonValidated;
        return OfField(raw).Wait ?? OfPair(raw, Pairs[0], now).Wait ?? OfPair(raw, Pairs[1], now).Wait;
    }

    /// <summary>The name of an unreadable field; null when there is none. A quota that is not exhausted needs no time.</summary>
    internal static string? UnreadableIn(HttpResponseHeaders headers)
    {
        var raw = headers.NonValidated;
        if (OfField(raw).IsUnreadable)
            return Field;
        foreach (var pair in Pairs)
        {
            if (OfPair(raw, pair, DateTimeOffset.UnixEpoch).IsUnreadable)
                return pair.Reset;
        }

        return null;
    }

    private static (TimeSpan? Wait, bool IsUnreadable) OfField(HttpHeadersNonValidated headers)
    {
        if (!headers.TryGetValues(Field, out var lines))
            return default;

        bool isLeft = false;
        TimeSpan? longest = null;
        foreach (string line in lines)
        {
            ReadOnlySpan<char> rest = line;
            TimeSpan? remainingOfLine = null;
            TimeSpan? resetOfLine = null;
            while (!rest.IsEmpty)
            {
                var item = Next(ref rest, ',');
                var name = Next(ref item, ';');
                if (ValueOf(name, "remaining=", ref remainingOfLine) || ValueOf(name, "reset=", ref resetOfLine) || name.IsEmpty)
                    continue;

                TimeSpan? remaining = null;
                TimeSpan? reset = null;
                while (!item.IsEmpty)
                {
                    var parameter = Next(ref item, ';');
                    _ = ValueOf(parameter, "r=", ref remaining) || ValueOf(parameter, "t=", ref reset);
                }

                isLeft |= remaining > TimeSpan.Zero;
                longest = Longer(longest, remaining == TimeSpan.Zero ? reset : null);
            }

            isLeft |= remainingOfLine > TimeSpan.Zero;
            longest = Longer(longest, remainingOfLine == TimeSpan.Zero ? resetOfLine : null);
        }

        return (longest, longest is null && !isLeft);
    }

    private static (TimeSpan? Wait, bool IsUnreadable) OfPair(
        HttpHeadersNonValidated headers, (string Remaining, string Reset) names, DateTimeOffset now)
    {
        // Several quotas have one line each in both fields; the order pairs them.
        if (!headers.TryGetValues(names.Remaining, out var remaining) || !headers.TryGetValues(names.Reset, out var resets)
            || remaining.Count != resets.Count)
            return default;

        bool isUsedUp = false;
        TimeSpan? longest = null;
        var reset = resets.GetEnumerator();
        foreach (string count in remaining)
        {
            reset.MoveNext();
            if (RetryAfter.Seconds(count) != TimeSpan.Zero)
                continue;
            isUsedUp = true;
            longest = Longer(longest, SecondsOrEpoch(reset.Current, headers, now));
        }

        return (longest, isUsedUp && longest is null);
    }

    private static TimeSpan? SecondsOrEpoch(string value, HttpHeadersNonValidated headers, DateTimeOffset now)
    {
        var seconds = RetryAfter.Seconds(value);
        if (!(seconds > Epoch))
            return seconds;
        return seconds <= DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch
            ? RetryAfter.Until(DateTimeOffset.UnixEpoch + seconds.Value, headers, now) : null;
    }

    private static TimeSpan? Longer(TimeSpan? a, TimeSpan? b) => b is null || a >= b ? a : b;

    private static bool ValueOf(ReadOnlySpan<char> text, string key, ref TimeSpan? value)
    {
        if (!text.StartsWith(key, StringComparison.Ordinal))
            return false;
        value = RetryAfter.Seconds(text[key.Length..]);
        return true;
    }

    // Up to the next separator outside a quoted string (RFC 8941 §3.3.3).
    private static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> rest, char separator)
    {
        int end = 0;
        for (bool quoted = false; end < rest.Length && (quoted || rest[end] != separator); end++)
        {
            if (rest[end] == '"')
                quoted = !quoted;
            else if (rest[end] == '\\')
                end++;
        }

        end = Math.Min(end, rest.Length);
        var next = rest[..end];
        rest = end < rest.Length ? rest[(end + 1)..] : default;
        return next.Trim(" \t");
    }
}
