using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience.Operators;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary><c>letters list</c>.</summary>
internal static class ListCommand
{
    private const int Wide = 100, LineLength = 200;

    private static readonly Option<int> Limit = LettersCommand.CreateLimit(50, "How many at most, newest first.");
    private static readonly Option<bool> All = new("--all") { Description = "Also those that are done with, when no --status is given." };
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create() => LettersCommand.CreateVerb(
        "list", "Lists letters one by one, newest first: the open ones, or those that a filter chooses.", null,
        [.. FilterOptions.All, Limit, All, Json, .. StoreOptions.ToRead],
        [
            new("letters list --status needs-person --client orders", "what a person has to look at"),
            new("letters list --group 5d0c8a7be1f24a3390d1c6e2 --json", "the letters of one cause, for programs"),
            new("letters list --since 24h --text vatId", "of the last day, with a text in what the API said"),
        ],
        RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        var now = store.Time.GetUtcNow();
        var filter = FilterOptions.Parse(parsed, now, parsed.GetValue(All) ? null : LetterWords.Open);
        int limit = parsed.GetValue(Limit);
        var (letters, next) = filter.Query.Text is null
            ? await ListAsync(store, filter, limit, cancellationToken).ConfigureAwait(false)
            : await SearchAsync(store, filter, limit, cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(new([.. letters.Select(LetterSummary.Of)], next), OperatorJson.Default.LetterPage));
            return letters.Count > 0 ? ExitCode.Done : ExitCode.Failed;
        }

        if (letters.Count == 0)
        {
            Output.Say($"No letter in {store.Shown} fits.");
            return ExitCode.Failed;
        }

        Write(letters, now);
        if (next is not null)
            Output.Say($"There may be older ones: --before {next}");
        return ExitCode.Done;
    }

    private static async Task<(IReadOnlyList<DeadLetter> Letters, string? Next)> ListAsync(
        LetterSource store, LetterFilter filter, int limit, CancellationToken cancellationToken)
    {
        var letters = await filter.ListAsync(store.Review, limit, cancellationToken).ConfigureAwait(false);
        return (letters, letters.Count == limit ? letters[^1].Id.ToString() : null);
    }

    // A text has no index: it goes on by itself, step by step, and says how far it is.
    private static async Task<(IReadOnlyList<DeadLetter> Letters, string? Next)> SearchAsync(
        LetterSource store, LetterFilter filter, int limit, CancellationToken cancellationToken)
    {
        List<DeadLetter> letters = [];
        Guid? before = null;
        long looked = 0;
        while (true)
        {
            var found = await store.SearchAsync(filter, before, limit - letters.Count, cancellationToken).ConfigureAwait(false);
            letters.AddRange(found.Letters);
            (before, looked) = (found.Before, looked + found.Looked);
            if (before is null || letters.Count >= limit)
                return (letters, before?.ToString());
            string have = letters.Count == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"{letters.Count:N0} found");
            Output.Say(
                string.Create(CultureInfo.InvariantCulture, $"Looked through the newest {looked:N0}: {have}. Looking further back…"));
        }
    }

    private static void Write(IReadOnlyList<DeadLetter> letters, DateTimeOffset now)
    {
        var (length, isWide) = (LetterId.ShortLength(letters.Select(l => l.Id)), Output.Result.Profile.Width >= Wide);
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn("id").NoWrap()).AddColumn("letter");
        if (isWide)
            table.AddColumn("client").AddColumn("state").AddColumn(new TableColumn("failed").RightAligned());
        foreach (var letter in letters)
        {
            string client = letter.Tenant is { } tenant ? $"{letter.ClientName}\nfor {VisibleText.Line(tenant, 40)}" : letter.ClientName;
            string state = StateOf(letter, now);
            string failed = string.Create(
                CultureInfo.InvariantCulture, $"{LetterWhen.InList(letter.LastFailedAt, now)}\n{LetterWhen.Times(letter.Attempts)}");
            string what = $"{letter.Method} {VisibleText.Line(letter.Uri.AbsolutePath, LineLength)}\n{ReasonOf(letter)}";
            string[] cells = isWide ? [what, client, state, failed]
                : [$"{what}\n{client.ReplaceLineEndings(" ")}; {state.ReplaceLineEndings(", ")}; {failed.ReplaceLineEndings(", ")}"];
            table.AddRow([new Text(letter.Id.ToString()[..length]), .. cells.Select(cell => new Text(VisibleText.Of(cell)))]);
        }

        Output.Result.Write(table);
    }

    private static string ReasonOf(DeadLetter letter)
    {
        string kind = letter.StatusCode is { } status
            ? string.Create(CultureInfo.InvariantCulture, $"{status}, {LetterWords.Text(letter.FailureClass)}")
            : LetterWords.Text(letter.FailureClass);
        return letter.ErrorTitle is { Length: > 0 } title ? $"{kind}: {VisibleText.Line(title, LineLength)}" : kind;
    }

    private static string StateOf(DeadLetter letter, DateTimeOffset now) => letter.Status switch
    {
        DeadLetterStatus.Pending when letter.DueAt > now =>
            $"{LetterWords.Text(letter.Status)}\nnext {LetterWhen.InFull(letter.DueAt)}",
        DeadLetterStatus.Pending => $"{LetterWords.Text(letter.Status)}\ndue",
        DeadLetterStatus.RequiresReview when letter.SuggestedAction is { } action =>
            $"{LetterWords.Text(letter.Status)}\n{VisibleText.Line(action, 80)}",
        var status => LetterWords.Text(status),
    };
}
