using System.Text;

namespace HttpResilience.Benchmarks;

/// <summary>A column of a table.</summary>
/// <param name="Name">The cell of the head.</param>
/// <param name="IsNumber">Whether its cells are aligned at the right.</param>
internal readonly record struct Column(string Name, bool IsNumber = false);

/// <summary>Tables of a page.</summary>
internal static class MarkdownTable
{
    internal static string Of(IEnumerable<Column> columns, IEnumerable<IEnumerable<string>> rows)
    {
        var table = new StringBuilder();
        Add(" ", columns.Select(c => c.Name));
        Add("", columns.Select(c => c.IsNumber ? "--:" : "---"));
        foreach (var row in rows)
            Add(" ", row);
        return table.ToString();

        void Add(string space, IEnumerable<string> cells) => table.Append($"|{space}{string.Join($"{space}|{space}", cells)}{space}|\n");
    }

    /// <summary>The cells of each row of the table in these lines, that of its head first.</summary>
    internal static IReadOnlyList<string[]> RowsOf(string lines) =>
    [
        .. lines.Split('\n').Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray()),
    ];
}
