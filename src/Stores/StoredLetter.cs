using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// A row of the letters: the letter, or the reason why it cannot be read. The row may come from a newer version or a manual edit. It is
/// logged, does not block other letters, and only its status changes.
/// </summary>
internal sealed partial class StoredLetter
{
    /// <summary>The suggested action in the row, for a reviewer with database tools or with a version that can read it.</summary>
    internal const string Action =
        "Use a version of HttpResilience that can read this row, or correct it (the log says what could not be read); then replay it";

    private readonly Exception? _whyNot;

    private StoredLetter(string id, DeadLetter? letter, Exception? whyNot) => (Id, Letter, _whyNot) = (id, letter, whyNot);

    internal string Id { get; }

    /// <summary>Null when it cannot be read.</summary>
    internal DeadLetter? Letter { get; }

    internal static StoredLetter Read(string id, Func<DeadLetter> read)
    {
        try
        {
            return new(id, read(), null);
        }
        catch (Exception e) when (StoredRows.IsOfFormat(e))
        {
            return new(id, null, e);
        }
    }

    /// <summary>A row that the database cannot write, such as one whose version is the greatest number.</summary>
    internal static StoredLetter Unwritable(string id, Exception exception) => new(id, null, exception);

    internal DeadLetter OrThrow() => Letter ?? throw new HttpResilienceStorageException(
        $"Dead letter {Id} cannot be read: {_whyNot!.Message} The row was not changed; use a version of HttpResilience that can read it, "
        + "or correct the row.", _whyNot);

    /// <summary>Returns the claimed letters that can be read, and logs the others, which were set aside for review.</summary>
    internal static IReadOnlyList<DeadLetter> Claimed(IReadOnlyList<StoredLetter> rows, ILogger log)
    {
        foreach (var row in rows.Where(r => r.Letter is null))
            LogSetAside(log, row._whyNot, row.Id);
        return [.. rows.Select(r => r.Letter).OfType<DeadLetter>()];
    }

    /// <summary>Reads a page of readable letters. It is shorter than the limit only if it is the last one.</summary>
    /// <param name="read">Reads rows, and where its second argument is not null, those before the row with this id.</param>
    internal static async Task<IReadOnlyList<DeadLetter>> PageAsync(
        DeadLetterQuery query, Func<DeadLetterQuery, string?, Task<List<StoredLetter>>> read, ILogger log)
    {
        List<DeadLetter> page = [];
        var rest = query;
        string? last = null;
        while (true)
        {
            var rows = await read(rest, last).ConfigureAwait(false);
            foreach (var row in rows)
            {
                if (row.Letter is { } letter)
                    page.Add(letter);
                else
                    LogLeftOut(log, row._whyNot, row.Id);
            }

            if (rows.Count < rest.Limit || page.Count == query.Limit)
                return page;
            (rest, last) = (query with { Limit = query.Limit - page.Count }, rows[^1].Id);
        }
    }

    /// <summary>A step of a search: a full page goes on after its last letter, else behind the letters that were looked through.</summary>
    /// <param name="oldest">The last letter that was looked through; null when there is none behind it.</param>
    internal static DeadLetterSearch Found(IReadOnlyList<DeadLetter> letters, DeadLetterQuery query, int looked, Guid? oldest) =>
        new(letters, looked, letters.Count == query.Limit ? letters[^1].Id : oldest);

    /// <summary>The groups whose newest letter can be read.</summary>
    /// <param name="newest">The newest letters of the groups, in any order.</param>
    internal static IReadOnlyList<DeadLetterGroup> Groups(
        IReadOnlyList<CountedGroup> counted, IEnumerable<StoredLetter> newest, ILogger log)
    {
        var rows = newest.ToDictionary(row => row.Id, StringComparer.OrdinalIgnoreCase);
        List<DeadLetterGroup> groups = [];
        foreach (var group in counted)
        {
            if (!rows.TryGetValue(group.Newest.ToString(), out var row))
                continue;
            if (row.Letter is { } letter)
                groups.Add(group.Of(letter));
            else
                LogLeftOut(log, row._whyNot, row.Id);
        }

        return groups;
    }

    /// <summary>Completes letters of older versions in portions, in the order of their ids.</summary>
    /// <param name="read">Reads a portion of incomplete rows after the one with this id; null for the first.</param>
    /// <param name="complete">Writes what was made from them.</param>
    internal static async Task<int> CompleteAsync(
        Func<string?, Task<List<StoredLetter>>> read, Func<IReadOnlyList<DeadLetter>, Task<int>> complete, int portion)
    {
        int completed = 0;
        string? last = null;
        while (true)
        {
            var rows = await read(last).ConfigureAwait(false);
            // One that cannot be read is left; a version that can read it completes it.
            DeadLetter[] letters = [.. rows.Select(r => r.Letter).OfType<DeadLetter>()];
            if (letters.Length > 0)
                completed += await complete(letters).ConfigureAwait(false);
            if (rows.Count < portion)
                return completed;
            last = rows[^1].Id;
        }
    }

    [LoggerMessage(
        3, LogLevel.Error,
        "Dead letter {Id} is due and cannot be read; it requires review. "
        + "Use a version of HttpResilience that can read it, or correct the row; then replay it")]
    private static partial void LogSetAside(ILogger logger, Exception? exception, string id);

    [LoggerMessage(
        4, LogLevel.Warning,
        "Dead letter {Id} cannot be read and is left out of the list. "
        + "Use a version of HttpResilience that can read it, or correct the row")]
    private static partial void LogLeftOut(ILogger logger, Exception? exception, string id);
}
