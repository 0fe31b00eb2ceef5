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

        var (quota, reset, isLeft) = (default(Quota), default(QuotaReset?), false);
        for (ReadOnlySpan<char> rest = string.Join(',', lines); !rest.IsEmpty;)
        {
            var next = Quota.Of(Next(ref rest, ','));
            if (next is { Remaining: null, Reset: null })
                continue;
            if (!quota.IsCompletedBy(next))
            {
                reset = QuotaReset.Join(reset, quota.ResetAt(now));
                isLeft |= quota.IsLeft;
                quota = next;
            }
            else
            {
                quota = quota.With(next);
            }
        }

        reset = QuotaReset.Join(reset, quota.ResetAt(now));
        return (reset, reset is null && !isLeft && !quota.IsLeft);
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
    private readonly record struct Quota(string Name, string? Remaining, string? Reset, bool IsOfPartition)
    {
        internal bool IsLeft => DelayNotation.Number(Remaining) > 0;

        internal QuotaReset? ResetAt(DateTimeOffset now) =>
            DelayNotation.Number(Remaining) == 0 && DelayNotation.Seconds(Reset, now) is { } wait ? new(wait, IsOfPartition) : null;

        /// <summary>The next member is about the same quota and adds to it.</summary>
        internal bool IsCompletedBy(in Quota next) =>
            Name == next.Name && (Remaining is null || next.Remaining is null) && (Reset is null || next.Reset is null);

        internal Quota With(in Quota next) =>
            new(Name, Remaining ?? next.Remaining, Reset ?? next.Reset, IsOfPartition || next.IsOfPartition);

        internal static Quota Of(ReadOnlySpan<char> member)
        {
            var name = Next(ref member, ';');
            if (name.IsEmpty)
                return default;
            if (ValueOf(name, "remaining=") is { } remaining)
                return new("", remaining, null, IsOfPartition: false);
            if (ValueOf(name, "reset=") is { } reset)
                return new("", null, reset, IsOfPartition: false);

            var quota = new Quota(name.ToString(), null, null, IsOfPartition: false);
            while (!member.IsEmpty)
            {
                var parameter = Next(ref member, ';');
                quota = new(quota.Name, ValueOf(parameter, "r=") ?? quota.Remaining, ValueOf(parameter, "t=") ?? quota.Reset,
                    quota.IsOfPartition || parameter.StartsWith("pk=", StringComparison.Ordinal));
            }

            return quota;
        }

        private static string? ValueOf(ReadOnlySpan<char> text, string key) =>
            text.StartsWith(key, StringComparison.Ordinal) ? text[key.Length..].ToString() : null;
    }
}
