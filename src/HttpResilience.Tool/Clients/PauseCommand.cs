using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary><c>pause</c> and <c>resume</c>: a client sends nothing until it is resumed.</summary>
internal static class PauseCommand
{
    private const int MaxNote = 10_000;

    private static readonly Argument<string> Client = new("client") { Description = "The name of the client.", HelpName = "CLIENT" };
    private static readonly Option<string?> Note = new("--note")
    {
        Description = "Why. It is shown to whoever finds the client paused, and written down.",
        HelpName = "TEXT",
        Validators =
        {
            result =>
            {
                if (result.Tokens is [{ Value.Length: > MaxNote }])
                    result.AddError($"--note has at most {MaxNote} characters.");
            },
        },
    };

    private static readonly Option<bool> Yes = Question.CreateYes();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command CreatePause() => LettersCommand.CreateVerb(
        "pause", "Pauses a client on all instances: its calls fail at once, nothing is sent, and its letters wait until it is resumed.",
        Client, [Note, Yes, Json, StoreOptions.Application, .. StoreOptions.ToChange],
        [new("pause orders --note 'double invoices, ticket 4711'", "it asks first; the instances follow within 10 seconds")],
        StoreOptions.InApplication(PauseAsync));

    internal static Command CreateResume() => LettersCommand.CreateVerb(
        "resume", "Resumes a client that a person or its error budget paused.", Client,
        [Note, Json, StoreOptions.Application, .. StoreOptions.ToChange],
        [new("resume orders --note 'fixed with 2.4.1'", "its calls and letters go out again within 10 seconds")],
        StoreOptions.InApplication(ResumeAsync));

    private static async Task<int> PauseAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed), name = parsed.GetValue(Client)!;
        var client = await store.ClientAsync(name, cancellationToken).ConfigureAwait(false);
        if (client.Pause is { By: not null } pause)
            throw new ToolException(
                $"{name} is paused already, since {LetterWhen.InFull(pause.Since)}, by {pause.ByText}{Why(pause.Note)}");
        var reach = client.Reach ?? throw new ToolException($"{store.Shown} has no store, which keeps a pause: {client.Advice}");
        if (reach.Advice is { } advice)
            Output.Say($"Note: {advice}");
        Question.Ask(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Pause {name}: its calls fail at once, {JobRun.Letters(reach.LettersWaiting)} wait, {Where(reach.ObeyedBy)}."),
            name, parsed.GetValue(Yes));
        return Write(parsed, await store.SetPauseAsync(name, true, by, NoteOf(parsed), cancellationToken).ConfigureAwait(false), by);
    }

    private static async Task<int> ResumeAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        return Write(
            parsed,
            await store.SetPauseAsync(parsed.GetValue(Client)!, false, by, NoteOf(parsed), cancellationToken).ConfigureAwait(false), by);
    }

    private static int Write(ParseResult parsed, ClientDetail client, string by)
    {
        if (parsed.GetValue(Json))
            Console.WriteLine(JsonSerializer.Serialize(client, OperatorJson.Default.ClientDetail));
        else if (client.Pause is { } pause)
            Output.Write($"{client.Name} is paused, as {pause.ByText}{Why(pause.Note)}");
        else
            Output.Write($"{client.Name} is resumed, as {by}.");
        return ExitCode.Done;
    }

    private static string? NoteOf(ParseResult parsed) => parsed.GetValue(Note)?.Trim() is { Length: > 0 } note ? note : null;

    private static string Why(string? note) => note is { Length: > 0 } ? $": {note}" : ".";

    private static string Where(IReadOnlyList<string> instances) => instances.Count == 0 ? "on no instance that is running now"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"on {instances.Count:N0} instance{(instances.Count == 1 ? "" : "s")}: {string.Join(", ", instances)}");
}
