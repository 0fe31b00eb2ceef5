using System.CommandLine;
using System.Text.Json;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary><c>letters reopen</c> and <c>letters cancel</c>: what was done to one letter is taken back.</summary>
internal static class UndoCommand
{
    private static readonly Argument<string> Id = LettersCommand.CreateId();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command CreateReopen() => Create(
        "reopen", "Takes back that a letter was marked as dealt with: it is again what it was.",
        new("letters reopen 019a1f3c-4a2b", "one letter"),
        (store, letter, by, cancellationToken) => store.Review.ReopenAsync(letter.Id, letter.Version, by, cancellationToken));

    internal static Command CreateCancel() => Create(
        "cancel",
        "Takes back that a letter is to be sent, while it waits: it is again what it was. Of a correction the old letter is open again.",
        new("letters cancel 019a1f3c-4a2b", "one letter"),
        (store, letter, by, cancellationToken) => store.Review.CancelAsync(letter.Id, letter.Version, by, cancellationToken));

    private static ToolCommand Create(
        string name, string description, Example example,
        Func<LetterSource, DeadLetter, string, CancellationToken, Task<DeadLetter>> undo) =>
        LettersCommand.CreateVerb(
            name, description, Id, [LetterChange.IfVersion, Json, .. StoreOptions.ToChange], [example],
            async (parsed, store, cancellationToken) =>
            {
                string by = StoreOptions.PersonOf(parsed);
                var letter = await LetterChange.FindAsync(store, parsed, parsed.GetValue(Id)!, cancellationToken).ConfigureAwait(false);
                var restored = await undo(store, letter, by, cancellationToken).ConfigureAwait(false);
                if (parsed.GetValue(Json))
                    Console.WriteLine(JsonSerializer.Serialize(LetterModel.Of(restored), OperatorJson.Default.LetterModel));
                else
                    Output.Write($"Letter {restored.Id} is again: {LetterWords.Text(restored.Status)}, as {by}.");
                return ExitCode.Done;
            });
}
