using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience.Operators;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary><c>letters groups</c>.</summary>
internal static class GroupsCommand
{
    private const int Wide = 90, LineLength = 200;

    private static readonly Option<int> Limit = LettersCommand.CreateLimit(200, "How many at most.");
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create() => LettersCommand.CreateVerb(
        "groups", "Shows the open letters by their cause: those that need a person first.", null,
        [.. FilterOptions.OfGroups, Limit, Json, .. StoreOptions.ToRead],
        [
            new("letters groups", "why letters are kept, and how many for each reason"),
            new("letters groups --client orders --since 24h", "of one client, in the last day"),
        ],
        RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        var now = store.Time.GetUtcNow();
        var filter = FilterOptions.Parse(parsed, now);
        var groups = await store.GroupsAsync(filter.Query, parsed.GetValue(Limit), cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(Json))
            Console.WriteLine(JsonSerializer.Serialize(groups, OperatorJson.Default.GroupList));
        else if (groups.Groups.Count > 0)
            Write(groups.Groups, now);
        else
            Output.Say($"No open letter in {store.Shown} fits.");
        return groups.Groups.Count > 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Write(IReadOnlyList<GroupModel> groups, DateTimeOffset now)
    {
        bool isWide = Output.Result.Profile.Width >= Wide;
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumn(new TableColumn("letters").RightAligned()).AddColumn("cause, group");
        if (isWide)
            table.AddColumn("state").AddColumn(new TableColumn("last failed").RightAligned());
        foreach (var group in groups)
        {
            string reason = group.Code is { } code
                ? string.Create(CultureInfo.InvariantCulture, $"{code}, {group.ClassText}") : group.ClassText;
            string cause = $"{VisibleText.Line(group.Title, LineLength)}\n{group.Client} · {group.Method} "
                + $"{VisibleText.Line(group.Route, LineLength)} · {reason}\n{group.Fingerprint ?? FilterOf(group)}";
            string state = StateOf(group);
            string last = LetterWhen.InList(group.LastFailedAt, now);
            string[] cells = isWide ? [cause, state, last] : [$"{cause}\n{state.ReplaceLineEndings(", ")}; last failed {last}"];
            table.AddRow([new Text(Number(group.Count)), .. cells.Select(cell => new Text(VisibleText.Of(cell)))]);
        }

        Output.Result.Write(table);
        Output.Say($"{JobRun.Letters(groups.Sum(g => g.Count))} of {JobRun.Causes(groups.Count)}. Their letters: letters list --group "
            + "GROUP; to send them again: letters replay --group GROUP");
    }

    // What a client could flood the list with has no group of its own.
    private static string FilterOf(GroupModel group) => string.Join(
        ' ', group.Filter.Where(w => w.Key != "status").Select(w => $"--{w.Key} {VisibleText.Line(w.Value, LineLength)}"));

    private static string StateOf(GroupModel group)
    {
        (long Count, DeadLetterStatus Status)[] parts =
        [
            (group.NeedsPerson, DeadLetterStatus.RequiresReview), (group.Waiting, DeadLetterStatus.Pending),
            (group.BeingSent, DeadLetterStatus.InProgress),
        ];
        return string.Join('\n', parts.Where(p => p.Count > 0).Select(p =>
            p.Count == group.Count ? LetterWords.Text(p.Status) : $"{LetterWords.Text(p.Status)}: {Number(p.Count)}"));
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
