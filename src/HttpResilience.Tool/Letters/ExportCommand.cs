using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary><c>letters export</c>.</summary>
internal static class ExportCommand
{
    private const int PageSize = 500;

    private static readonly string[] Columns =
    [
        "id", "status", "client", "application", "tenant", "method", "uri", "group", "class", "code", "reason", "detail", "firstFailedAt",
        "lastFailedAt", "attempts", "replays", "mayHaveBeenProcessed", "key", "suggestedAction",
    ];

    private static readonly Option<string> Format = new Option<string>("--format")
    {
        Description = "json: one object in each line, as letters show --json. csv: a table, without header fields.",
        HelpName = "json|csv",
        DefaultValueFactory = _ => "json",
    }.AcceptOnlyFromAmong("json", "csv");

    private static readonly Option<string?> Target = new("--output")
    {
        Description = "Writes to this file, which must not exist. Default: standard output.",
        HelpName = "FILE",
    };

    internal static Command Create() => LettersCommand.CreateVerb(
        "export", "Writes all letters that a filter chooses, without their bodies, newest first.", null,
        [.. FilterOptions.All, Format, Target, .. StoreOptions.ToRead],
        [
            new("letters export --client orders --since 7d --format csv --output orders.csv", "a table for a spreadsheet"),
            new("letters export --status needs-person | jq .reason", "for programs"),
        ],
        RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        var filter = FilterOptions.Parse(parsed, store.Time.GetUtcNow());
        bool csv = parsed.GetValue(Format) == "csv";
        int count;
        if (parsed.GetValue(Target) is { } path)
        {
            var writer = Create(path);
            await using (writer.ConfigureAwait(false))
                count = await WriteAsync(writer, store, filter, csv, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            count = await WriteAsync(Console.Out, store, filter, csv, cancellationToken).ConfigureAwait(false);
        }

        Output.Say($"{LetterNumber.Of(count)} exported.");
        return count > 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static StreamWriter Create(string path)
    {
        try
        {
            return new(
                new FileStream(path, FileMode.CreateNew, FileAccess.Write), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"Nothing was exported: {e.Message}", innerException: e);
        }
    }

    private static async Task<int> WriteAsync(
        TextWriter writer, LetterSource store, LetterFilter filter, bool csv, CancellationToken cancellationToken)
    {
        int count = 0;
        if (csv)
            await writer.WriteLineAsync(string.Join(',', Columns)).ConfigureAwait(false);
        foreach (var query in filter.Queries)
        {
            var page = query with { Limit = PageSize, OmitBodies = true };
            while (await store.Review.ListAsync(page, cancellationToken).ConfigureAwait(false) is { Count: > 0 } letters)
            {
                foreach (var letter in letters)
                {
                    string line = csv ? string.Join(',', CellsOf(letter).Select(Quoted))
                        : JsonSerializer.Serialize(LetterModel.Of(letter), OperatorJson.Default.LetterModel);
                    await writer.WriteLineAsync(line).ConfigureAwait(false);
                }

                count += letters.Count;
                Output.Say(string.Create(CultureInfo.InvariantCulture, $"{count:N0} letters…"));
                page = page with { Before = letters[^1].Id };
            }
        }

        return count;
    }

    private static IEnumerable<string?> CellsOf(DeadLetter letter) =>
    [
        letter.Id.ToString(), LetterWords.Of(letter.Status), letter.ClientName, letter.Application, letter.Tenant, letter.Method,
        letter.OriginalUri ?? letter.Uri.AbsoluteUri, letter.Fingerprint, LetterWords.Of(letter.FailureClass),
        letter.StatusCode?.ToString(CultureInfo.InvariantCulture), letter.ErrorTitle, letter.ErrorDetail,
        letter.FirstFailedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        letter.LastFailedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), letter.Attempts.ToString(CultureInfo.InvariantCulture),
        letter.Replays.ToString(CultureInfo.InvariantCulture), letter.MayHaveBeenProcessed ? "true" : "false", letter.IdempotencyKey,
        letter.SuggestedAction,
    ];

    // A spreadsheet would take such a cell for a formula, and a terminal would act on control characters.
    private static string Quoted(string? cell)
    {
        cell = VisibleText.Of(cell ?? "");
        string text = cell is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? $"'{cell}" : cell;
        return $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
