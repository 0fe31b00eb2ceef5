using System.Globalization;

namespace HttpResilience.Operators;

/// <summary>
/// The words that choose letters, such as <c>status=needs-person,waiting</c> and <c>since=24h</c>: the same in addresses, in JSON and on a
/// command line. Words without a value count as absent, as forms send them.
/// </summary>
internal sealed class LetterFilter
{
    private const int MaxValue = 500, MaxText = 200, FingerprintDigits = 24, MaxDays = 36_500;

    private const int MaxLooked = 50_000, LookedAtOnce = 10_000, MaxCounted = 10_000;

    // The whole answer has 2 seconds.
    private static readonly TimeSpan SearchTime = TimeSpan.FromSeconds(1);

    private const string TimeProblem = "It is a time, such as 2026-11-28T03:10:00Z or 2026-11-28, or an age, such as 30m, 24h or 7d.";

    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    private readonly List<FilterProblem> _problems = [];
    private readonly List<KeyValuePair<string, string>> _words = [];
    private readonly List<DeadLetterStatus> _statuses = [];

    private LetterFilter()
    {
    }

    /// <summary>The names of all words.</summary>
    internal static IReadOnlyList<string> Names { get; } =
    [
        "status", "client", "tenant", "host", "method", "class", "code", "text", "tag", "since", "until", "group", "before",
    ];

    /// <summary>What is wrong; empty when all words are valid. Those that are wrong have no effect on <see cref="Query"/>.</summary>
    internal IReadOnlyList<FilterProblem> Problems => _problems;

    /// <summary>The words that are valid, as they were given.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Words => _words;

    /// <summary>The statuses that are asked for; empty for all.</summary>
    internal IReadOnlyList<DeadLetterStatus> Statuses => _statuses;

    /// <summary>The filter without the statuses, which <see cref="Queries"/> has.</summary>
    internal DeadLetterQuery Query { get; private set; } = new();

    /// <summary>The filter with its statuses: one query for each of them, or one for all.</summary>
    internal IEnumerable<DeadLetterQuery> Queries =>
        _statuses.Count == 0 ? [Query] : _statuses.Select(status => Query with { Status = status });

    /// <param name="words">Names and values.</param>
    /// <param name="now">The time from which ages such as <c>24h</c> count.</param>
    /// <param name="others">Names that mean something else to the caller, such as <c>limit</c>. Default: none.</param>
    internal static LetterFilter Parse(
        IEnumerable<KeyValuePair<string, string>> words, DateTimeOffset now, params ReadOnlySpan<string> others)
    {
        ArgumentNullException.ThrowIfNull(words);
        var filter = new LetterFilter();
        HashSet<string> seen = [];
        foreach (var (name, value) in words)
        {
            if (others.Contains(name) || value is not { Length: > 0 })
                continue;
            string? problem = !Names.Contains(name) ? $"There is no such word. Known: {string.Join(", ", Names)}."
                : !seen.Add(name) && name != "status" ? "It is given twice."
                : value.Length > MaxValue ? $"It has more than {MaxValue} characters."
                : HasUnfit(value) ? "It has a character that no text of a letter can have."
                : filter.Apply(name, value, now);
            if (problem is null)
                filter._words.Add(new(name, value));
            else
                filter._problems.Add(new(Shown(name), problem));
        }

        return filter;
    }

    /// <summary>
    /// A page of letters without bodies, newest first. A letter whose status changes meanwhile may be missing when several statuses are
    /// asked for; none is in it twice.
    /// </summary>
    /// <param name="review">Reads them.</param>
    /// <param name="limit">How many at most. 1 to 1000.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    internal async Task<IReadOnlyList<DeadLetter>> ListAsync(
        IDeadLetterReview review, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(review);
        List<DeadLetter> letters = [];
        foreach (var query in Queries)
        {
            var page = query with { Limit = limit, OmitBodies = true };
            letters.AddRange(await review.ListAsync(page, cancellationToken).ConfigureAwait(false));
        }

        return _statuses.Count <= 1 ? letters
            : [.. letters.GroupBy(l => l.Id).Select(same => same.MaxBy(l => l.Version)!).OrderByDescending(l => l.Id).Take(limit)];
    }

    /// <summary>
    /// A step of a search for <see cref="DeadLetterQuery.Text"/>, newest first: no more than the newest 50,000 letters, and about a second.
    /// </summary>
    /// <param name="review">Reads them.</param>
    /// <param name="before">Where it goes on; null for the beginning.</param>
    /// <param name="limit">How many at most. 1 to 1000.</param>
    /// <param name="time">Measures it.</param>
    /// <param name="atOnce">How many letters the store looks through at once. Default 10,000.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    internal async Task<LetterFinds> SearchAsync(
        IDeadLetterReview review, Guid? before, int limit, TimeProvider time, int atOnce = LookedAtOnce,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(review);
        ArgumentNullException.ThrowIfNull(time);
        long began = time.GetTimestamp();
        var found = new LetterFinds([], 0, before ?? Query.Before);
        do
        {
            var next = await StepAsync(review, found.Before, limit - found.Letters.Count, atOnce, cancellationToken)
                .ConfigureAwait(false);
            found = new([.. found.Letters, .. next.Letters], found.Looked + next.Looked, next.Before);
        }
        while (found.Before is not null && found.Letters.Count < limit && found.Looked < MaxLooked
            && time.GetElapsedTime(began) < SearchTime);
        return found;
    }

    private async Task<LetterFinds> StepAsync(
        IDeadLetterReview review, Guid? before, int limit, int atOnce, CancellationToken cancellationToken)
    {
        DeadLetterQuery[] queries = [.. Queries.Select(query => query with { Before = before, Limit = limit, OmitBodies = true })];
        List<DeadLetterSearch> parts = [];
        foreach (var query in queries)
            parts.Add(await review.SearchAsync(query, Math.Max(1, atOnce / queries.Length), cancellationToken).ConfigureAwait(false));
        // Of several statuses the one that is least far back counts: what the others have found behind it is found again.
        var reached = parts.Max(part => part.Before);
        List<DeadLetter> letters =
        [
            .. parts.SelectMany(part => part.Letters).Where(l => reached is not { } end || l.Id.CompareTo(end) >= 0)
                .GroupBy(l => l.Id).Select(same => same.MaxBy(l => l.Version)!).OrderByDescending(l => l.Id).Take(limit),
        ];
        return new(letters, parts.Sum(part => (long)part.Looked), letters.Count == limit ? letters[^1].Id : reached);
    }

    /// <summary>What a purge would delete, exact up to 10,000. All statuses of the filter are settled.</summary>
    /// <param name="review">Counts them.</param>
    /// <param name="before">Those that were settled before this time.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">Cancels the count.</param>
    internal async Task<PurgePreview> CountSettledAsync(
        IDeadLetterReview review, DateTimeOffset before, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(review);
        long count = 0;
        DateTimeOffset? oldest = null;
        foreach (var query in SettledQueries)
        {
            var settled = await review.CountSettledAsync(query, now - before, MaxCounted + 1, cancellationToken).ConfigureAwait(false);
            count += settled.Count;
            oldest = oldest < settled.Oldest ? oldest : settled.Oldest ?? oldest;
        }

        return new(Math.Min(count, MaxCounted), count > MaxCounted, oldest, before);
    }

    /// <summary>Deletes them.</summary>
    /// <param name="review">Deletes them.</param>
    /// <param name="before">Those that were settled before this time.</param>
    /// <param name="now">The time.</param>
    /// <param name="by">The person.</param>
    /// <param name="cancellationToken">Stops; letters that are deleted by then stay deleted.</param>
    internal async Task<long> PurgeAsync(
        IDeadLetterReview review, DateTimeOffset before, DateTimeOffset now, string by, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(review);
        long deleted = 0;
        foreach (var query in SettledQueries)
            deleted += await review.PurgeAsync(query, now - before, by, cancellationToken).ConfigureAwait(false);
        return deleted;
    }

    // Those of all settled statuses are counted and deleted at once.
    private IEnumerable<DeadLetterQuery> SettledQueries =>
        _statuses.Count == 0 || LetterWords.SettledStatuses.All(_statuses.Contains) ? [Query] : Queries;

    private string? Apply(string name, string value, DateTimeOffset now)
    {
        switch (name)
        {
            case "status":
                return ApplyStatuses(value);
            case "client":
                return Set(Query with { ClientName = value });
            case "tenant":
                return Set(Query with { Tenant = value });
            case "method":
                return Set(Query with { Method = value });
            case "host":
                return Set(
                    AuthorityOf(value) is { } host ? Query with { Authority = host } : null,
                    "It is neither a host, such as api.example.com, nor scheme, host and port, such as https://api.example.com:8443.");
            case "class":
                return Set(
                    LetterWords.TryClass(value, out var failureClass) ? Query with { FailureClass = failureClass } : null,
                    $"Allowed: {string.Join(", ", LetterWords.Classes)}.");
            case "code":
                bool isCode = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int code)
                    && code is >= 100 and <= 999;
                return Set(isCode ? Query with { StatusCode = code } : null, "It is a status of HTTP, 100 to 999.");
            case "text":
                return Set(value.Length <= MaxText ? Query with { Text = value } : null, $"It has at most {MaxText} characters.");
            case "tag":
                return Set(
                    value.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
                        ? Query with { Tag = new(value[..colon], value[(colon + 1)..]) } : null,
                    "It is the name and the value of a tag with a colon between them, such as docType:invoice.");
            case "since":
                return Set(TimeOf(value, now) is { } since ? Query with { Since = since } : null, TimeProblem);
            case "until":
                return Set(TimeOf(value, now) is { } until ? Query with { Until = until } : null, TimeProblem);
            case "group":
                bool isGroup = value.Length == FingerprintDigits && value.All(char.IsAsciiHexDigitLower);
                return Set(
                    isGroup ? Query with { Fingerprint = value } : null,
                    $"It is the fingerprint of a group: {FingerprintDigits} digits of 0 to 9 and a to f.");
            default:
                return Set(
                    Guid.TryParseExact(value, "D", out var before) ? Query with { Before = before } : null,
                    "It is the id of a letter, a UUID.");
        }
    }

    private string? ApplyStatuses(string value)
    {
        List<DeadLetterStatus> statuses = [];
        foreach (string word in value.Split(',', StringSplitOptions.TrimEntries))
        {
            if (word == LetterWords.Open)
                statuses.AddRange(LetterWords.OpenStatuses);
            else if (LetterWords.TryStatus(word, out var status))
                statuses.Add(status);
            else
                return $"Allowed, several with commas between them: {string.Join(", ", LetterWords.Statuses)}, {LetterWords.Open}.";
        }

        _statuses.AddRange(statuses.Except(_statuses).ToList());
        return null;
    }

    private string? Set(DeadLetterQuery? query, string problem = "")
    {
        Query = query ?? Query;
        return query is null ? problem : null;
    }

    /// <summary>Scheme, host and port of what a person typed, https when it has no scheme; null when it is no host.</summary>
    internal static string? AuthorityOf(string value)
    {
        string text = value.Contains("://", StringComparison.Ordinal) ? value : $"https://{value}";
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { PathAndQuery: "/", Fragment: "" } ? LetterHost.Of(uri) : null;
    }

    /// <summary>A time, or an age such as <c>24h</c> before now; null when it is neither.</summary>
    internal static DateTimeOffset? TimeOf(string value, DateTimeOffset now)
    {
        if (AgeOf(value) is { } age)
            return now - age;
        return DateTimeOffset.TryParseExact(value, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.ToUniversalTime() : null;
    }

    // Up to 100 years.
    internal static TimeSpan? AgeOf(string value)
    {
        if (value.Length < 2
            || !long.TryParse(value.AsSpan(0, value.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out long n))
            return null;
        TimeSpan? unit = value[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            'w' => TimeSpan.FromDays(7),
            _ => null,
        };
        return unit is { } one && n <= TimeSpan.FromDays(MaxDays) / one ? one * n : null;
    }

    // A store keeps neither (IDeadLetterStore), so that nothing could match.
    private static bool HasUnfit(string value)
    {
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] == '\0' || char.IsLowSurrogate(value[i]) || (char.IsHighSurrogate(value[i]) && !IsPair(value, i)))
                return true;
            if (char.IsHighSurrogate(value[i]))
                i++;
        }

        return false;
    }

    private static bool IsPair(string value, int i) => i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]);

    private static string Shown(string name) => name.Length <= 40 ? name : $"{name[..40]}…";
}
