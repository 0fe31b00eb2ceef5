namespace HttpResilience;

/// <summary>The age of a response at its arrival and its freshness lifetime (RFC 9111 §4.2), without heuristics.</summary>
/// <param name="InitialAge">The corrected initial age (§4.2.3).</param>
/// <param name="Lifetime">The freshness lifetime (§4.2.1).</param>
internal readonly record struct Freshness(TimeSpan InitialAge, TimeSpan Lifetime)
{
    // RFC 9111 §1.2.2: a longer time is reduced to this one.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(int.MaxValue);

    /// <summary>Reads the freshness of a response.</summary>
    /// <param name="fields">Its header fields.</param>
    /// <param name="receivedAt">The time of arrival of its head.</param>
    /// <param name="delay">The time from the request to the response.</param>
    internal static Freshness Of(ResponseFields fields, DateTimeOffset receivedAt, TimeSpan delay)
    {
        var date = DateOf(fields.Of("Date"), receivedAt) ?? receivedAt;
        var apparent = Max(receivedAt - date, TimeSpan.Zero);
        var corrected = AgeOf(fields.Of("Age")) + Within(delay);
        return new(Within(Max(apparent, corrected)), Within(LifetimeOf(fields, date, receivedAt)));
    }

    /// <summary>The age, between zero and the longest time.</summary>
    internal static TimeSpan Within(TimeSpan age) => Min(Max(age, TimeSpan.Zero), Longest);

    /// <summary>The end of a duration, at most <see cref="DateTimeOffset.MaxValue"/>.</summary>
    internal static DateTimeOffset EndOf(DateTimeOffset begin, TimeSpan duration) =>
        duration < DateTimeOffset.MaxValue - begin ? begin + duration : DateTimeOffset.MaxValue;

    /// <summary>How long a response may be used after its freshness has ended, when the API fails (RFC 5861 §4).</summary>
    internal static TimeSpan StaleFor(TimeSpan configured, CacheControl response, CacheControl request) =>
        Min(Min(configured, response.StaleIfError ?? configured), request.StaleIfError ?? configured);

    private static TimeSpan LifetimeOf(ResponseFields fields, DateTimeOffset date, DateTimeOffset receivedAt)
    {
        if (fields.CacheControl.MaxAge is { } maxAge)
            return maxAge;
        // An invalid date, such as 0, has expired (§5.3), and so has one in another form than those of HTTP; of several dates the
        // earliest applies.
        var lifetime = TimeSpan.Zero;
        bool isFirst = true;
        foreach (string expires in fields.Of("Expires"))
        {
            var value = expires.AsSpan().Trim();
            var given = HttpDate.IsStandard(value) && HttpDate.TryParse(value, receivedAt, out var at) ? Max(at - date, TimeSpan.Zero)
                : TimeSpan.Zero;
            lifetime = isFirst ? given : Min(lifetime, given);
            isFirst = false;
        }

        return lifetime;
    }

    private static DateTimeOffset? DateOf(IEnumerable<string> values, DateTimeOffset receivedAt)
    {
        DateTimeOffset? earliest = null;
        foreach (string value in values)
        {
            if (HttpDate.TryParse(value.AsSpan().Trim(), receivedAt, out var date) && !(earliest <= date))
                earliest = date;
        }

        return earliest;
    }

    // The first value of several counts, and one that cannot be read is ignored (RFC 9111 §5.1): -1 is no age.
    private static TimeSpan AgeOf(IEnumerable<string> values)
    {
        string first = values.FirstOrDefault("");
        int comma = first.IndexOf(',');
        return CacheControl.Seconds((comma < 0 ? first : first.AsSpan(0, comma)).Trim()) ?? TimeSpan.Zero;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>The header fields of a response and its content, by name.</summary>
internal readonly struct ResponseFields(IReadOnlyList<KeyValuePair<string, string>> fields)
{
    internal CacheControl CacheControl => CacheControl.Parse(Of("Cache-Control"));

    internal IEnumerable<string> Of(string name)
    {
        foreach (var (field, value) in fields)
        {
            if (field.Equals(name, StringComparison.OrdinalIgnoreCase))
                yield return value;
        }
    }
}
