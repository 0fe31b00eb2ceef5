using System.Globalization;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Prints the rows that were not accepted.</summary>
internal static class RowTable
{
    private const int MaxRows = 20;

    public static void Write(IAnsiConsole console, string title, IReadOnlyList<RowReport> rows)
    {
        if (rows.Count == 0) return;

        var table = new Table { Title = new TableTitle(title), ShowRowSeparators = true }
            .AddColumn(new TableColumn("row").NoWrap().RightAligned()).AddColumn("status").AddColumn("invoice, reason, key");
        foreach (var row in rows.Take(MaxRows))
        {
            var (key, next) = (row.IdempotencyKey is { } k ? $"key {k}" : null, row.Next is { } n ? $"> {n}" : null);
            string?[] lines = [$"{row.Company}:{row.InvoiceNumber}", row.Reason, key, next];
            table.AddRow(new Text(row.Row.ToString(CultureInfo.InvariantCulture)), new Text(row.Status),
                new Text(string.Join('\n', lines.OfType<string>())));
        }

        console.Write(table);
        if (rows.Count > MaxRows) console.WriteLine($"and {rows.Count - MaxRows} more; --json lists them all.");
    }
}
