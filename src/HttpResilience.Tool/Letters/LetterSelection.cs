using System.Globalization;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>A letter as it was counted: only this version of it is changed.</summary>
internal readonly record struct CountedLetter(Guid Id, long Version);

/// <summary>The letters that a filter chose at one time. What arrives later is not swept along.</summary>
/// <param name="Letters">Oldest first.</param>
/// <param name="Hosts">Where they go.</param>
/// <param name="Oldest">When the first of them failed.</param>
/// <param name="LeftOut">How many were left out.</param>
internal sealed record LetterSelection(
    IReadOnlyList<CountedLetter> Letters, IReadOnlyCollection<string> Hosts, DateTimeOffset? Oldest, int LeftOut)
{
    private const int PageSize = 1000, ShownHosts = 5;

    /// <param name="store">The store.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="mayChange">Whether a letter may be changed at all.</param>
    /// <param name="isLeftOut">Whether one that may is left out, and told so.</param>
    /// <param name="limit">How many at most, the oldest; null for all.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    internal static async Task<LetterSelection> CountAsync(
        LetterSource store, LetterFilter filter, Func<DeadLetter, bool> mayChange, Func<DeadLetter, bool> isLeftOut, int? limit,
        CancellationToken cancellationToken)
    {
        List<(CountedLetter Letter, string Host, DateTimeOffset FailedAt)> all = [];
        int leftOut = 0;
        foreach (var query in filter.Queries)
        {
            var page = query with { Limit = PageSize, OmitBodies = true };
            while (await store.Review.ListAsync(page, cancellationToken).ConfigureAwait(false) is { Count: > 0 } letters)
            {
                foreach (var letter in letters.Where(mayChange))
                {
                    if (isLeftOut(letter))
                        leftOut++;
                    else
                        all.Add((new(letter.Id, letter.Version), letter.Authority, letter.FirstFailedAt));
                }

                page = page with { Before = letters[^1].Id };
            }
        }

        // A letter whose status changed meanwhile may be in it twice.
        var chosen = all.DistinctBy(l => l.Letter.Id).OrderBy(l => l.Letter.Id).Take(limit ?? int.MaxValue).ToList();
        return new(
            [.. chosen.Select(l => l.Letter)], [.. chosen.Select(l => l.Host).Distinct().Order(StringComparer.Ordinal)],
            chosen.Count == 0 ? null : chosen.Min(l => l.FailedAt), leftOut);
    }

    /// <summary>Number, hosts and the oldest.</summary>
    internal string Description
    {
        get
        {
            string hosts = string.Join(", ", Hosts.Take(ShownHosts));
            string more = Hosts.Count > ShownHosts
                ? string.Create(CultureInfo.InvariantCulture, $" and {Hosts.Count - ShownHosts} more hosts") : "";
            return $"{Count(Letters.Count)} for {hosts}{more}, the oldest from {LetterWhen.InFull(Oldest!.Value)}";
        }
    }

    internal static string Count(long letters) =>
        letters == 1 ? "1 letter" : string.Create(CultureInfo.InvariantCulture, $"{letters:N0} letters");
}
