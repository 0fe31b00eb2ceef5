using HttpResilience;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Prints letters as a table; a narrow console has one column less.</summary>
internal static class LetterTable
{
    private const int Wide = 100;

    public static void Write(IAnsiConsole console, IReadOnlyList<DeadLetter> letters)
    {
        var (now, length, wide) = (DateTimeOffset.UtcNow, LetterId.ShortLength(letters), console.Profile.Width >= Wide);
        var table = new Table { ShowRowSeparators = true }
            .AddColumn(new TableColumn("id").NoWrap()).AddColumn(new TableColumn("row").NoWrap().RightAligned()).AddColumn("status");
        if (wide) table.AddColumn("request");
        table.AddColumn("subject, reason, suggested action");

        foreach (var letter in letters)
        {
            string[] request = [$"{letter.Method} {letter.Uri.AbsolutePath}", $"{letter.Failure},", letter.Counts];
            string[] inCell = wide ? [] : [request[0], string.Join(' ', request[1..])];
            string?[] lines = [letter.Subject, .. inCell, letter.Reason, Action(letter)];
            string[] ownCell = wide ? [Lines(request)] : [];
            string[] cells = [letter.Id.ToString()[..length], letter.Row, letter.State(now).Replace(", ", ",\n"), .. ownCell, Lines(lines)];
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        console.Write(table);
    }

    private static string? Action(DeadLetter letter) => letter.SuggestedAction is { } action ? $"> {action}" : null;

    private static string Lines(IEnumerable<string?> lines) => string.Join('\n', lines.OfType<string>());
}
