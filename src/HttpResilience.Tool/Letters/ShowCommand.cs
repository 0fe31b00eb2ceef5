using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience.Operators;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary><c>letters show</c>.</summary>
internal static class ShowCommand
{
    private static readonly Argument<string> Id = LettersCommand.CreateId();
    private static readonly Option<string?> Save = new("--save")
    {
        Description = "Writes the body as it is to this file, which must not exist.",
        HelpName = "FILE",
    };

    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create() => LettersCommand.CreateVerb(
        "show", "Shows one letter: what the API said, what can be done, and its body.", Id, [Save, Json, .. StoreOptions.ToRead],
        [
            new("letters show 019a1f3c-4a2b", "the beginning of an id is enough"),
            new("letters show 019a1f3c-4a2b --save body.json", "with its body in a file"),
        ],
        RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        var letter = await LetterId.FindAsync(store.Review, parsed.GetValue(Id)!, cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(Save) is { } file)
            await SaveAsync(letter, file, cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(Json))
            Console.WriteLine(JsonSerializer.Serialize(LetterModel.Of(letter), OperatorJson.Default.LetterModel));
        else
            Write(letter, store.Time.GetUtcNow());
        return ExitCode.Done;
    }

    private static async Task SaveAsync(DeadLetter letter, string file, CancellationToken cancellationToken)
    {
        if (letter.Body is not { } body)
            throw new ToolException($"Letter {letter.Id} has no body to save. {LetterBody.Show(letter)}");
        try
        {
            var stream = new FileStream(file, FileMode.CreateNew, FileAccess.Write);
            await using (stream.ConfigureAwait(false))
                await stream.WriteAsync(body, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"The body was not saved: {e.Message}", innerException: e);
        }
    }

    private static void Write(DeadLetter letter, DateTimeOffset now)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadLeft(0).PadRight(2)).AddColumn();
        foreach (var (name, value) in FactsOf(letter, now))
        {
            if (value is { Length: > 0 })
                grid.AddRow(new Text(VisibleText.Of(name)), new Text(VisibleText.Of(value)));
        }

        Output.Result.Write(grid);
        Output.Write("");
        // Not in a grid, so that it can be copied.
        Output.Write(LetterBody.Show(letter));
    }

    private static IEnumerable<(string Name, string? Value)> FactsOf(DeadLetter letter, DateTimeOffset now)
    {
        yield return ("letter", letter.Id.ToString());
        yield return ("state", letter.Status is DeadLetterStatus.Pending
            ? $"{LetterWords.Text(letter.Status)}: {(letter.DueAt > now ? $"next at {LetterWhen.InFull(letter.DueAt)}" : "due")}"
            : LetterWords.Text(letter.Status));
        yield return ("suggested", letter.SuggestedAction);
        yield return ("request", $"{letter.Method} {letter.OriginalUri ?? letter.Uri.AbsoluteUri}");
        yield return ("client", letter.ClientName);
        yield return ("application", letter.Application);
        yield return ("tenant", letter.Tenant);
        yield return ("failure", string.Create(CultureInfo.InvariantCulture,
            $"{(letter.StatusCode is { } status ? $"{status}, " : "")}{LetterWords.Text(letter.FailureClass)}; ")
            + LetterWords.Text(letter.StopReason));
        yield return ("the API said", letter.ErrorTitle);
        yield return ("in detail", letter.ErrorDetail);
        yield return ("done twice", LetterRisk.Of(letter));
        yield return ("key", letter.IdempotencyKey);
        foreach (var (name, value) in letter.Tags)
            yield return ($"tag {name}", value);
        foreach (var (name, value) in letter.Headers)
            yield return ("header", $"{name}: {value}");
        yield return ("left out", letter.LeftOut.Count > 0 ? string.Join(", ", letter.LeftOut) : null);
        yield return ("first failed", LetterWhen.InFull(letter.FirstFailedAt));
        yield return ("last failed", LetterWhen.InFull(letter.LastFailedAt));
        yield return ("attempts", string.Create(CultureInfo.InvariantCulture, $"{letter.Attempts}; sent again {letter.Replays} times"));
        yield return ("done", letter.Resolution is { } done
            ? $"{done.Action}, by {done.By}, {LetterWhen.InFull(done.At)}{(done.Notes is { } notes ? $": {notes}" : "")}" : null);
        foreach (var happened in letter.History)
            yield return ("history", HistoryOf(happened));
        yield return ("replaces", letter.Replaces?.ToString());
        yield return ("replaced by", letter.ReplacedBy?.ToString());
        yield return ("group", letter.Fingerprint);
        yield return ("version", letter.Version.ToString(CultureInfo.InvariantCulture));
    }

    private static string HistoryOf(LetterEvent happened)
    {
        IEnumerable<string?> parts =
        [
            LetterWords.Text(happened.Kind), happened.StatusCode?.ToString(CultureInfo.InvariantCulture), happened.Title,
            happened.Instance is { } instance ? $"from {instance}" : null, happened.By is { } by ? $"by {by}" : null,
            happened.JobId is { } job ? $"job {job}" : null, happened.OtherId?.ToString(), happened.Notes,
        ];
        return $"{LetterWhen.InFull(happened.At)}  {string.Join(", ", parts.OfType<string>())}";
    }
}
