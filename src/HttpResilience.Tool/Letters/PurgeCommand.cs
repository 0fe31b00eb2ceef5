using System.CommandLine;
using System.Globalization;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary><c>letters purge</c>.</summary>
internal static class PurgeCommand
{
    private static readonly Option<string> OlderThan = new("--older-than")
    {
        Description = "Those that were settled longer ago than this: 30m, 24h, 30d or 4w.",
        HelpName = "AGE",
        DefaultValueFactory = _ => "30d",
    };

    private static readonly Option<bool> Yes = Question.CreateYes();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create() => LettersCommand.CreateVerb(
        "purge", "Deletes letters that are done with: accepted, dealt with, replaced. There is no way back.", null,
        [.. FilterOptions.All, OlderThan, Yes, Json, .. StoreOptions.ToChangeStore],
        [
            new("letters purge --older-than 90d", "asks, with the number and the oldest"),
            new("letters purge --tenant contoso --older-than 0d --yes", "of a tenant that has left, without a question"),
        ],
        RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        string text = parsed.GetValue(OlderThan)!;
        var before = LetterFilter.TimeOf(text, store.Time.GetUtcNow())
            ?? throw new ToolException($"--older-than '{text}' is not an age such as 30m, 24h, 30d or 4w.", ExitCode.Usage);
        var filter = FilterOptions.Parse(
            parsed, store.Time.GetUtcNow(), string.Join(',', LetterWords.SettledStatuses.Select(LetterWords.Of)));
        if (filter.Statuses.Any(status => !LetterWords.SettledStatuses.Contains(status)))
        {
            throw new ToolException(
                "Letters that are open are not deleted: mark them as dealt with first (letters resolve).", ExitCode.Usage);
        }

        var selection = await CountAsync(store, filter, before, cancellationToken).ConfigureAwait(false);
        if (selection.Letters.Count == 0)
            throw new ToolException($"No letter in {store.Shown} that was settled before {LetterWhen.InFull(before)} fits.");
        Question.Ask(
            $"Delete for good: {selection.Description}, settled before {LetterWhen.InFull(before)}.",
            selection.Letters.Count.ToString(CultureInfo.InvariantCulture), parsed.GetValue(Yes));

        // Only what was shown: the filter would take others along that changed meanwhile.
        var again = await CountAsync(store, filter, before, cancellationToken).ConfigureAwait(false);
        if (!again.Letters.Select(l => l.Id).ToHashSet().IsSubsetOf(selection.Letters.Select(l => l.Id)))
            throw new ToolException($"Meanwhile more letters fit: {again.Description}. Nothing was deleted; ask again.");
        int deleted = 0;
        foreach (var query in filter.Queries)
        {
            deleted += await store.Review.PurgeAsync(query, store.Time.GetUtcNow() - before, by, cancellationToken).ConfigureAwait(false);
        }

        return BulkChange.Write(new(deleted, 0, 0, by), deleted == 1 ? "was deleted" : "were deleted", parsed.GetValue(Json));
    }

    private static Task<LetterSelection> CountAsync(
        LetterSource store, LetterFilter filter, DateTimeOffset before, CancellationToken cancellationToken) =>
        LetterSelection.CountAsync(store, filter, letter => SettledAt(letter) < before, _ => false, null, cancellationToken);

    // As the stores take it (IDeadLetterStore.PurgeAsync).
    private static DateTimeOffset SettledAt(DeadLetter letter)
    {
        var at = letter.Status is DeadLetterStatus.Replayed ? letter.DueAt : letter.Resolution?.At ?? letter.LastFailedAt;
        return at > letter.LastFailedAt ? at : letter.LastFailedAt;
    }
}
