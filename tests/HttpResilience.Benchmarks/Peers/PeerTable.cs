using System.Text;

namespace HttpResilience.Peers;

/// <summary>The table <c>point | Microsoft | ours</c>, which a page holds between two markers.</summary>
internal static class PeerTable
{
    internal const string Begin = "<!-- points -->";
    internal const string End = "<!-- /points -->";

    private const string Head = "| # | point | Microsoft.Extensions.Http.Resilience 10.11.0 | HttpResilience |\n|---|---|---|---|\n";

    internal static string Of(IEnumerable<(Point Point, Seen Microsoft, Seen Ours)> rows)
    {
        var table = new StringBuilder(Head);
        foreach (var (point, microsoft, ours) in rows)
            table.Append($"| {point.Number} | {point.Sentence} | {microsoft} | {ours} |\n");
        return table.ToString();
    }

    /// <exception cref="FormatException">The page has no markers.</exception>
    internal static string Replace(string page, string table)
    {
        var (begin, end) = Find(page);
        return $"{page[..begin]}\n{table}{page[end..]}";
    }

    /// <summary>The rows of a page, without the measures in parentheses: number, point, Microsoft, ours.</summary>
    internal static IReadOnlyList<string[]> RowsOf(string page)
    {
        var (begin, end) = Find(page);
        return [.. page[begin..end].Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(2)
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Split(" (")[0].Trim()).ToArray())];
    }

    private static (int Begin, int End) Find(string page)
    {
        int begin = page.IndexOf(Begin, StringComparison.Ordinal);
        int end = page.IndexOf(End, StringComparison.Ordinal);
        return begin >= 0 && end > begin
            ? (begin + Begin.Length, end)
            : throw new FormatException($"The page has no {Begin} and {End}.");
    }
}
