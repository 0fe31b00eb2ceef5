using System.Globalization;

namespace HttpResilience;

/// <summary>
/// The field <c>Cache-Control</c> (RFC 9111 §5.2, RFC 5861 §4) with the directives used here. A malformed field counts as
/// <c>no-store</c>.
/// </summary>
internal readonly record struct CacheControl
{
    // RFC 9111 §1.2.2: the value for times that overflow.
    private const long Longest = int.MaxValue;

    internal bool NoStore { get; private init; }

    internal bool NoCache { get; private init; }

    internal bool MustRevalidate { get; private init; }

    internal bool OnlyIfCached { get; private init; }

    /// <summary>Null when there is none; zero when it is unreadable.</summary>
    internal TimeSpan? MaxAge { get; private init; }

    /// <inheritdoc cref="MaxAge"/>
    internal TimeSpan? StaleIfError { get; private init; }

    /// <summary>The minimum remaining freshness. Null when there is none; the maximum when it is unreadable.</summary>
    internal TimeSpan? MinFresh { get; private init; }

    private static CacheControl Malformed => new() { NoStore = true };

    /// <param name="fields">The values of all field lines.</param>
    internal static CacheControl Parse(params IEnumerable<string> fields)
    {
        var all = new CacheControl();
        foreach (string field in fields)
        {
            for (ReadOnlySpan<char> rest = field; !rest.IsEmpty;)
            {
                int end = EndOfMember(rest);
                if (end < 0)
                    return Malformed;
                var member = rest[..end].Trim(" \t");
                rest = end < rest.Length ? rest[(end + 1)..] : [];
                if (member.IsEmpty)
                    continue;

                int equals = member.IndexOf('=');
                var name = (equals < 0 ? member : member[..equals]).TrimEnd(" \t");
                var value = equals < 0 ? [] : member[(equals + 1)..].TrimStart(" \t");
                if (!HttpToken.IsValid(name) || !(value.IsEmpty || HttpToken.IsValid(value) || IsQuoted(value)))
                    return Malformed;
                all = all.With(name, value);
            }
        }

        return all;
    }

    /// <summary>Whole seconds (RFC 9111 §1.2.2), also in quotes.</summary>
    internal static TimeSpan? Seconds(ReadOnlySpan<char> value)
    {
        if (IsQuoted(value))
            value = value[1..^1];
        if (value.IsEmpty || value.ContainsAnyExceptInRange('0', '9'))
            return null;
        bool fits = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds);
        return TimeSpan.FromSeconds(fits ? Math.Min(seconds, Longest) : Longest);
    }

    private CacheControl With(ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        if (Is(name, "no-store"))
            return this with { NoStore = true };
        if (Is(name, "no-cache"))
            return this with { NoCache = true };
        if (Is(name, "must-revalidate"))
            return this with { MustRevalidate = true };
        if (Is(name, "only-if-cached"))
            return this with { OnlyIfCached = true };
        if (Is(name, "max-age"))
            return this with { MaxAge = Min(MaxAge, value) };
        if (Is(name, "stale-if-error"))
            return this with { StaleIfError = Min(StaleIfError, value) };
        if (Is(name, "min-fresh"))
            return this with { MinFresh = Seconds(value) ?? TimeSpan.MaxValue };
        return this;
    }

    // Of a repeated directive the stricter value applies.
    private static TimeSpan Min(TimeSpan? before, ReadOnlySpan<char> value)
    {
        var said = Seconds(value) ?? TimeSpan.Zero;
        return before < said ? before.Value : said;
    }

    private static bool Is(ReadOnlySpan<char> name, string directive) => name.Equals(directive, StringComparison.OrdinalIgnoreCase);

    private static bool IsQuoted(ReadOnlySpan<char> value) => value.Length > 1 && value[0] == '"' && value[^1] == '"';

    // A comma within quotes is no separator (RFC 9110 §5.6.4). -1 when the quotes are not closed.
    private static int EndOfMember(ReadOnlySpan<char> text)
    {
        bool isQuoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            if (isQuoted && text[i] == '\\')
                i++;
            else if (text[i] == '"')
                isQuoted = !isQuoted;
            else if (text[i] == ',' && !isQuoted)
                return i;
        }

        return isQuoted ? -1 : text.Length;
    }
}
