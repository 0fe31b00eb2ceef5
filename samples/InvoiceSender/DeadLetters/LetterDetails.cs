using System.Globalization;
using HttpResilience;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Prints every detail of one letter.</summary>
internal static class LetterDetails
{
    public static void Write(IAnsiConsole console, DeadLetter letter)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn();
        Add("id", letter.Id.ToString());
        Add("status", letter.State(DateTimeOffset.UtcNow));
        Add("suggested action", letter.SuggestedAction);
        Add("request", $"{letter.Method} {letter.Uri}");
        Add("client", letter.ClientName);
        Add("key", letter.IdempotencyKey);
        Add("tenant", letter.Tenant);
        foreach (var (name, value) in letter.Tags) Add(name, value);
        Add("failure", $"{letter.Failure}, {letter.StopReason}");
        Add("reason", letter.Reason);
        Add("processed", letter.MayHaveBeenProcessed ? "perhaps" : "no");
        foreach (var (name, value) in letter.Headers) Add("header", $"{name}: {value}");
        foreach (var (at, what) in History(letter)) Add(at, what);
        console.Write(grid);
        // Written without the console's line wrapping, so that it can be copied.
        console.Profile.Out.Writer.WriteLine(letter.BodyText);

        void Add(string label, string? value)
        {
            if (value is not null) grid.AddRow(new Text(label), new Text(value));
        }
    }

    private static IEnumerable<(string At, string What)> History(DeadLetter letter)
    {
        yield return (Time(letter.FirstFailedAt),
            letter.Replaces is { } old ? $"created as a correction of {old}" : "stored after its failure");
        if (letter.Attempts > 0 && letter.LastFailedAt > letter.FirstFailedAt) yield return (Time(letter.LastFailedAt), "last failure");
        if (letter.Resolution is { } done)
            yield return (Time(done.At), $"{done.Action}, by {done.By}{(done.Notes is { } notes ? $": {notes}" : "")}");
        if (letter.ReplacedBy is { } next) yield return ("", $"replaced by {next}");
        if (letter.Status is DeadLetterStatus.Replayed) yield return (Time(letter.DueAt), $"accepted ({letter.StatusCode})");
        yield return ("total", letter.Counts);
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
