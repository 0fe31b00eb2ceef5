using System.CommandLine;
using System.Text.Json;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary><c>letters edit</c>.</summary>
internal static class EditCommand
{
    private static readonly Argument<string> Id = LettersCommand.CreateId();
    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "Sets a field of a JSON body; may be repeated.",
        HelpName = "FIELD=VALUE",
    };

    private static readonly Option<string?> Body = new("--body") { Description = "The file with the new body.", HelpName = "FILE" };
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create()
    {
        var command = LettersCommand.CreateVerb(
            "edit", "Corrects the body of a letter, in $EDITOR when nothing else is given, and sends the corrected letter with a new key.",
            Id,
            [Set, Body, LetterChange.IfVersion, Json, .. StoreOptions.ToChangeStore],
            [
                new("letters edit 019a1f3c-4a2b", "in the editor"),
                new("letters edit 019a1f3c-4a2b --set currency=EUR", "one field"),
            ],
            RunAsync);
        command.Validators.Add(result =>
        {
            if (result.GetValue(Body) is not null && result.GetValue(Set) is { Length: > 0 })
                result.AddError("Give --set or --body, not both.");
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        var letter = await LetterChange.FindAsync(store, parsed, parsed.GetValue(Id)!, cancellationToken).ConfigureAwait(false);
        if (letter.KeyIsMissing)
            throw new ToolException(LetterBody.Show(letter));
        if (!LetterChange.IsOpen(letter))
            throw new ToolException($"Letter {letter.Id} cannot be corrected: {LetterWords.Text(letter.Status)}.");
        byte[] body = await BodyEdit.CorrectAsync(letter, parsed.GetValue(Set) ?? [], parsed.GetValue(Body), cancellationToken)
            .ConfigureAwait(false) ?? throw new ToolException("The body is as before; nothing was sent.");

        var corrected = await store.Review.ResubmitAsync(letter.Id, letter.Version, old => old with { Body = body }, by, cancellationToken)
            .ConfigureAwait(false);
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(LetterModel.Of(corrected), OperatorJson.Default.LetterModel));
        }
        else
        {
            if (LetterBody.TextOf(letter) is { } before && LetterBody.TextOf(corrected) is { } after)
                LineDifference.Write(before, after);
            Output.Write($"Letter {letter.Id} is replaced by {corrected.Id}, which is due and will be sent, as {by}.");
        }

        await LetterChange.TellWhoSendsAsync(store, cancellationToken).ConfigureAwait(false);
        return ExitCode.Done;
    }
}
