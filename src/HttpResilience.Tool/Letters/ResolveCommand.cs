using System.CommandLine;
using System.Globalization;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary><c>letters resolve</c>.</summary>
internal static class ResolveCommand
{
    private static readonly Argument<string?> Id = LettersCommand.CreateOptionalId();
    private static readonly Option<string> Action = new("--action")
    {
        Description = "What was done, in a word or two.",
        HelpName = "TEXT",
        DefaultValueFactory = _ => "Dealt with",
        Validators =
        {
            result =>
            {
                if (result.Tokens.Count == 1 && string.IsNullOrWhiteSpace(result.Tokens[0].Value))
                    result.AddError("--action is empty.");
            },
        },
    };

    private static readonly Option<string?> Notes = new("--notes") { Description = "More about it.", HelpName = "TEXT" };
    private static readonly Option<bool> Yes = Question.CreateYes();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create()
    {
        var command = LettersCommand.CreateVerb(
            "resolve", "Marks letters as dealt with in another way. They are not sent again.", Id,
            [.. FilterOptions.All, LetterChange.All, Action, Notes, LetterChange.IfVersion, Yes, Json, .. StoreOptions.ToChange],
            [
                new("letters resolve 019a1f3c-4a2b --action Credited --notes 2026-00999", "one letter"),
                new("letters resolve --group 5d0c8a7be1f24a3390d1c6e2 --action 'Entered by hand'", "all of a cause; it asks first"),
            ],
            RunAsync);
        LetterChange.RequireOne(command, Id);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        var (action, notes) = (parsed.GetValue(Action)!, parsed.GetValue(Notes));
        if (parsed.GetValue(Id) is { } id)
        {
            var letter = await LetterChange.FindAsync(store, parsed, id, cancellationToken).ConfigureAwait(false);
            await store.Review.ResolveAsync(letter.Id, letter.Version, action, notes, by, cancellationToken).ConfigureAwait(false);
            return BulkChange.Write(new(1, 0, 0, by), $"is dealt with: {action}", parsed.GetValue(Json));
        }

        var filter = FilterOptions.Parse(parsed, store.Time.GetUtcNow(), LetterWords.Open);
        var selection = await LetterSelection.CountAsync(store, filter, LetterChange.IsOpen, _ => false, null, cancellationToken)
            .ConfigureAwait(false);
        if (selection.Letters.Count == 0)
            throw new ToolException($"No open letter in {store.Shown} fits.");
        Question.Ask(
            $"Mark as dealt with ({action}): {selection.Description}.", selection.Letters.Count.ToString(CultureInfo.InvariantCulture),
            parsed.GetValue(Yes));
        var report = await BulkChange.RunAsync(
            selection, null, letter => store.Review.ResolveAsync(letter.Id, letter.Version, action, notes, by, cancellationToken), by,
            cancellationToken).ConfigureAwait(false);
        return BulkChange.Write(report, $"are dealt with: {action}", parsed.GetValue(Json));
    }
}
