using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// The time until an exhausted quota is reset: <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers, <c>"default";r=0;t=30</c>, and its
/// older form <c>limit=100, remaining=0, reset=30</c>), then <c>X-RateLimit-Reset</c> and <c>RateLimit-Reset</c> beside a remaining count
/// of 0, then the same pairs under the names of vendors, such as <c>anthropic-ratelimit-requests-reset</c>, in the notation of the vendor.
/// The first valid one wins. It is a hint for the next request and does not mean that this one was rejected.
/// </summary>
internal static class RateLimitFields
{
    private static readonly string[] CommonResets = ["X-RateLimit-Reset", "RateLimit-Reset"];

    private static readonly string[] QuotaWords = ["RateLimit", "Rate-Limit"];

    // "X-RateLimit-Retry-After" is a reset too. Longer names first: the first one that a field has is replaced by that of its count.
    private static readonly string[] ResetWords = ["Reset-After", "Retry-After", "Reset"];

    /// <param name="now">The reference time when the response has no <c>Date</c>.</param>
    /// <param name="isRejected">The status is 429: a reset without a count is that of a quota without a rest.</param>
    /// <returns>Null when no quota is exhausted, or the fields are unreadable; zero when the quota is reset already.</returns>
    internal static QuotaReset? Of(HttpResponseHeaders headers, DateTimeOffset now, bool isRejected)
    {
        var raw = headers.NonValidated;
        // Most responses have none.
        if (!HasQuota(raw))
            return null;
        now = RetryAfter.SentAt(raw, now);
        if (RateLimitField.Read(raw, now).Reset is { } reset)
            return reset;

        TimeSpan? wait = null;
        foreach (string common in CommonResets)
            wait ??= OfPair(raw, common, now, isRejected).Wait;
        if (wait is null)
        {
            foreach (var (name, _) in raw)
                wait = Longer(wait, OfPair(raw, name, now, isRejected).Wait);
        }

        return wait is { } left ? new(left, IsOfPartition: false) : null;
    }

    /// <summary>The name of an unreadable field; null when there is none. A quota that is not exhausted needs no time.</summary>
    /// <param name="isRejected">The status is 429.</param>
    internal static string? UnreadableIn(HttpResponseHeaders headers, bool isRejected)
    {
        var raw = headers.NonValidated;
        if (!HasQuota(raw))
            return null;
        if (RateLimitField.Read(raw, DateTimeOffset.UnixEpoch).IsUnreadable)
            return RateLimitField.Name;
        foreach (var (name, _) in raw)
        {
            if (OfPair(raw, name, DateTimeOffset.UnixEpoch, isRejected).IsUnreadable)
                return name;
        }

        return null;
    }

    private static (TimeSpan? Wait, bool IsUnreadable) OfPair(
        HttpHeadersNonValidated headers, string reset, DateTimeOffset now, bool isRejected)
    {
        if (!headers.TryGetValues(reset, out var resetLines) || CountOf(reset) is not { } count)
            return default;
        bool isCounted = headers.TryGetValues(count, out var countLines);
        var (resets, counts) = (LinesOf(resetLines), isCounted ? LinesOf(countLines) : []);
        // Several quotas have one line each in both fields; the order pairs them.
        if (isCounted ? counts.Count != resets.Count : !isRejected)
            return default;

        bool isUsedUp = false;
        TimeSpan? longest = null;
        foreach (var (index, value) in resets.Index())
        {
            if (isCounted && !IsUsedUp(counts[index]))
                continue;
            isUsedUp = true;
            longest = Longer(longest, Parse(reset, value, now));
        }

        return (longest, isUsedUp && longest is null);
    }

    private static List<string> LinesOf(HeaderStringValues values)
    {
        List<string> lines = [];
        foreach (string value in values)
        {
            foreach (var line in JoinedLines.Of(value))
                lines.Add(line.ToString());
        }

        return lines;
    }

    /// <summary>The name of the count that belongs to a reset; null when the field is no reset.</summary>
    private static string? CountOf(string name)
    {
        if (!IsOfQuota(name))
            return null;
        foreach (string word in ResetWords)
        {
            if (name.Contains(word, StringComparison.OrdinalIgnoreCase))
                return name.Replace(word, "Remaining", StringComparison.OrdinalIgnoreCase);
        }

        return null;
    }

    private static bool HasQuota(HttpHeadersNonValidated headers)
    {
        foreach (var (name, _) in headers)
        {
            if (IsOfQuota(name))
                return true;
        }

        return false;
    }

    private static bool IsOfQuota(string name)
    {
        foreach (string word in QuotaWords)
        {
            if (name.Contains(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static TimeSpan? Parse(string name, string value, DateTimeOffset now) =>
        name.EndsWith("-ms", StringComparison.OrdinalIgnoreCase) || name.EndsWith("Milliseconds", StringComparison.OrdinalIgnoreCase)
            ? DelayNotation.Milliseconds(value, now)
            : DelayNotation.Any(value, now);

    private static TimeSpan? Longer(TimeSpan? a, TimeSpan? b) => b is null || a >= b ? a : b;

    // "0", or used/limit: "40/40".
    private static bool IsUsedUp(ReadOnlySpan<char> count)
    {
        int slash = count.IndexOf('/');
        return slash < 0 ? DelayNotation.Number(count) == 0
            : DelayNotation.Number(count[..slash]) >= DelayNotation.Number(count[(slash + 1)..]);
    }
}
