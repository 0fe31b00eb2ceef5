namespace HttpResilience;

/// <summary>A group as a store counts it, before its newest letter is read.</summary>
/// <param name="Fingerprint">The group; empty for other reasons.</param>
/// <param name="Newest">The newest of its letters.</param>
/// <param name="OtherReasons">How many titles are counted as this group; 0 for one of its own.</param>
internal readonly record struct CountedGroup(
    string Fingerprint, Guid Newest, long Pending, long InProgress, long RequiresReview, DateTimeOffset FirstFailedAt,
    DateTimeOffset LastFailedAt, int OtherReasons = 0)
{
    // The text comes from a server, which could give each letter another one: the list would show nothing else.
    private const int MaxTitles = 200;

    /// <summary>
    /// The groups whose last failure is the latest. Of those that differ in their title alone, the 200 latest stay, and the others are
    /// counted as one: then those others, and the latest of each kind, are kept before more titles of one kind.
    /// </summary>
    /// <param name="groups">Those with the latest failure first.</param>
    /// <param name="limit">How many at most.</param>
    internal static List<CountedGroup> Fold(IEnumerable<(CountedGroup Group, CauseFamily Family)> groups, int limit)
    {
        List<(CountedGroup Group, bool IsFirst)> folded = [];
        Dictionary<CauseFamily, int> titles = [];
        Dictionary<CauseFamily, CountedGroup> others = [];
        foreach (var (group, family) in groups)
        {
            if ((titles[family] = titles.GetValueOrDefault(family) + 1) <= MaxTitles)
                folded.Add((group, titles[family] == 1));
            else
                others[family] = others.TryGetValue(family, out var before) ? before.With(group) : group with { OtherReasons = 1 };
        }

        return others.Count == 0 ? [.. folded.Select(f => f.Group).Take(limit)]
            :
            [
                .. folded.Concat(others.Values.Select(o => (Group: o with { Fingerprint = "" }, IsFirst: true)))
                    .OrderByDescending(f => f.IsFirst).ThenByDescending(f => f.Group.LastFailedAt).Take(limit).Select(f => f.Group)
                    .OrderByDescending(g => g.LastFailedAt),
            ];
    }

    internal DeadLetterGroup Of(DeadLetter newest) =>
        new(Fingerprint, newest, Pending, InProgress, RequiresReview, FirstFailedAt, LastFailedAt) { OtherReasons = OtherReasons };

    private CountedGroup With(CountedGroup other) => new(
        Fingerprint, Newest.CompareTo(other.Newest) > 0 ? Newest : other.Newest, Pending + other.Pending, InProgress + other.InProgress,
        RequiresReview + other.RequiresReview, FirstFailedAt < other.FirstFailedAt ? FirstFailedAt : other.FirstFailedAt,
        LastFailedAt > other.LastFailedAt ? LastFailedAt : other.LastFailedAt, OtherReasons + 1);
}

/// <summary>What groups have in common that differ in their title alone.</summary>
/// <param name="Status">The status; of a letter without one the type of its exception.</param>
internal readonly record struct CauseFamily(string ClientName, string Method, string Route, string FailureClass, string Status)
{
    internal static CauseFamily Of(DeadLetter letter) => new(
        letter.ClientName, letter.Method, letter.Route, $"{letter.FailureClass}", letter.StatusCode is { } code ? $"{code}"
            : letter.ErrorType ?? "");
}
