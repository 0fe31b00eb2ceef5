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
        [.. FilterOptions.All, OlderThan, Yes, Json, .. StoreOptions.ToChange],
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

        var counted = await store.CountSettledAsync(filter, before, cancellationToken).ConfigureAwait(false);
        if (counted.Count == 0)
            throw new ToolException($"No letter in {store.Shown} that was settled before {LetterWhen.InFull(before)} fits.");
        string number = LetterNumber.Of((int)counted.Count);
        Question.Ask(
            $"Delete for good: {(counted.More ? $"more than {number}" : number)}, the oldest from "
            + $"{LetterWhen.InFull(counted.Oldest!.Value)}, settled before {LetterWhen.InFull(before)}.",
            counted.Count.ToString(CultureInfo.InvariantCulture), parsed.GetValue(Yes));
        long deleted = await store.PurgeAsync(filter, counted, by, cancellationToken).ConfigureAwait(false);
        return new ChangeReport((int)deleted, by).Write(deleted == 1 ? "was deleted" : "were deleted", parsed.GetValue(Json));
    }
}
