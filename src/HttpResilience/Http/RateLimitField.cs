using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// Reads <c>RateLimit</c> leniently: a member that cannot be read leaves the others. Its lines are one list (RFC 9651 §4.2), so that
/// remaining and reset may stand on two of them.
/// </summary>
internal static class RateLimitField
{
    internal const string Name = "RateLimit";

    /// <param name="now">The time that a reset since 1970 is compared with.</param>
    /// <returns>The longest reset of an exhausted quota; whether the field has neither that nor a quota with a rest.</returns>
    internal static (QuotaReset? Reset, bool IsUnreadable) Read(HttpHeadersNonValidated headers, DateTimeOffset now)
    {
        if (!headers.TryGetValues(Name, out var lines))
            return default;

        var (reset, isLeft) = (default(QuotaReset?), false);
        foreach (var quota in QuotasOf(lines))
        {
            reset = QuotaReset.Join(reset, quota.ResetAt(now));
            isLeft |= quota.IsLeft;
        }

        return (reset, reset is null && !isLeft);
    }

    /// <summary>The quotas of the field, with their limits and windows from its policy field, <c>RateLimit-Policy</c>.</summary>
    /// <param name="name">The name of the field.</param>
    /// <param name="now">The time that a reset since 1970 is compared with.</param>
    /// <param name="reports">Gets at most <paramref name="most"/>.</param>
    internal static void AddTo(
        List<QuotaReport> reports, HttpHeadersNonValidated headers, string name, DateTimeOffset now, int most)
    {
        if (!headers.TryGetValues(name, out var lines))
            return;
        var policies = headers.TryGetValues(name + "-Policy", out var policyLines) ? QuotasOf(policyLines) : [];
        foreach (var quota in QuotasOf(lines))
        {
            if (DelayNotation.Number(quota.Remaining) is not { } remaining || reports.Count >= most)
                continue;
            var policy = policies.Find(p => p.Name == quota.Name);
            reports.Add(new(quota.Name, remaining)
            {
                Limit = DelayNotation.Number(quota.Limit ?? policy.Limit),
                Reset = quota.Reset is null ? null : DelayNotation.Seconds(quota.Reset, now) ?? TimeSpan.Zero,
                Window = DelayNotation.Seconds(policy.Window, now),
                Part = quota.Partition,
            });
        }
    }

    private static List<Quota> QuotasOf(HeaderStringValues lines)
    {
        List<Quota> quotas = [];
        Quota quota = default;
        for (ReadOnlySpan<char> rest = string.Join(',', lines); !rest.IsEmpty;)
        {
            var next = Quota.Of(Next(ref rest, ','));
            if (next.IsEmpty)
                continue;
            if (quota.IsCompletedBy(next))
            {
                quota = quota.With(next);
                continue;
            }

            quotas.Add(quota);
            quota = next;
        }

        quotas.Add(quota);
        return quotas;
    }

    // Up to the next separator outside a quoted string (RFC 9651 §3.3.3).
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

    /// <summary>A member of the list. In the older form, which is a dictionary, a quota has no name and several members.</summary>
    private readonly record struct Quota(string Name, string? Remaining, string? Reset)
    {
        internal string? Limit { get; init; }

        internal string? Window { get; init; }

        internal string? Partition { get; init; }

        internal bool IsEmpty => this is { Remaining: null, Reset: null, Limit: null, Window: null };

        internal bool IsLeft => DelayNotation.Number(Remaining) > 0;

        internal QuotaReset? ResetAt(DateTimeOffset now) =>
            DelayNotation.Number(Remaining) == 0 && DelayNotation.Seconds(Reset, now) is { } wait ? new(wait, Partition is not null) : null;

        /// <summary>The next member is about the same quota and adds to it.</summary>
        internal bool IsCompletedBy(in Quota next) =>
            Name == next.Name && (Remaining is null || next.Remaining is null) && (Reset is null || next.Reset is null)
            && (Limit is null || next.Limit is null);

        internal Quota With(in Quota next) => new(Name, Remaining ?? next.Remaining, Reset ?? next.Reset)
        {
            Limit = Limit ?? next.Limit,
            Window = Window ?? next.Window,
            Partition = Partition ?? next.Partition,
        };

        internal static Quota Of(ReadOnlySpan<char> member)
        {
            var name = Next(ref member, ';');
            if (name.IsEmpty)
                return default;
            if (ValueOf(name, "remaining=") is { } remaining)
                return new("", remaining, null);
            if (ValueOf(name, "reset=") is { } reset)
                return new("", null, reset);
            if (ValueOf(name, "limit=") is { } limit)
                return new("", null, null) { Limit = limit };

            var quota = new Quota(name.ToString(), null, null);
            while (!member.IsEmpty)
            {
                var parameter = Next(ref member, ';');
                quota = new(quota.Name, ValueOf(parameter, "r=") ?? quota.Remaining, ValueOf(parameter, "t=") ?? quota.Reset)
                {
                    Limit = ValueOf(parameter, "q=") ?? quota.Limit,
                    Window = ValueOf(parameter, "w=") ?? quota.Window,
                    Partition = ValueOf(parameter, "pk=") ?? quota.Partition,
                };
            }

            return quota;
        }

        private static string? ValueOf(ReadOnlySpan<char> text, string key) =>
            text.StartsWith(key, StringComparison.Ordinal) ? text[key.Length..].ToString() : null;
    }
}
