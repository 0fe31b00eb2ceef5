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
    private static readonly Option<string?> Method = new("--method") { Description = "Another method, such as PUT.", HelpName = "METHOD" };
    private static readonly Option<string?> Address = new("--uri")
    {
        Description = "Another absolute address. With a store, on the same host; with --url, on those that the application allows.",
        HelpName = "URI",
    };

    private static readonly Option<string[]> SetHeader = new("--set-header")
    {
        Description = "Sets a header field, such as 'Content-Type: application/json'; may be repeated. None that carries a secret.",
        HelpName = "FIELD",
    };

    private static readonly Option<string[]> RemoveHeader = new("--remove-header")
    {
        Description = "Removes a header field; may be repeated.",
        HelpName = "NAME",
    };

    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create()
    {
        var command = LettersCommand.CreateVerb(
            "edit", "Corrects a letter, its body in $EDITOR when nothing else is given, and sends the corrected letter with a new key.",
            Id,
            [Set, Body, Method, Address, SetHeader, RemoveHeader, LetterChange.IfVersion, Json, .. StoreOptions.ToChange],
            [
                new("letters edit 019a1f3c-4a2b", "in the editor"),
                new("letters edit 019a1f3c-4a2b --set currency=EUR", "one field"),
                new("letters edit 019a1f3c-4a2b --method PUT --set-header 'If-Match: \"7\"'", "the method and a header field"),
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
        var corrected = await store.ResubmitAsync(
            letter, await RequestAsync(letter, parsed, cancellationToken).ConfigureAwait(false), by, cancellationToken)
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

    private static async Task<ResubmitRequest> RequestAsync(DeadLetter letter, ParseResult parsed, CancellationToken cancellationToken)
    {
        var (fields, file) = (parsed.GetValue(Set) ?? [], parsed.GetValue(Body));
        var request = new ResubmitRequest(
            Method: parsed.GetValue(Method), Uri: parsed.GetValue(Address),
            Headers: Correction.HeadersOf(letter, parsed.GetValue(SetHeader) ?? [], parsed.GetValue(RemoveHeader) ?? []));
        bool isOfBody = request is { Method: null, Uri: null, Headers: null };
        byte[]? body = isOfBody || fields.Length > 0 || file is not null
            ? await BodyEdit.CorrectAsync(letter, fields, file, cancellationToken).ConfigureAwait(false) : null;
        return body is not null || !isOfBody ? request with { Body = body is null ? null : Convert.ToBase64String(body) }
            : throw new ToolException("The body is as before; nothing was sent.");
    }
}
