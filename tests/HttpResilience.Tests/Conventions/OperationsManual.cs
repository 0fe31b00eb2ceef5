using System.Text.RegularExpressions;

namespace HttpResilience.Tests.Conventions;

/// <summary>docs/operations.md as its tables have it: what stands in them, without how it is written.</summary>
internal static partial class OperationsManual
{
    internal static string Text { get; } = Repository.Read("docs/operations.md");

    /// <summary>The rows of all tables under a heading whose head begins like this, without the head.</summary>
    /// <param name="section">The heading of the second level.</param>
    internal static IReadOnlyList<ManualRow> Rows(string section, params string[] head)
    {
        List<ManualRow> rows = [];
        bool isIn = false;
        foreach (string line in SectionOf(section).Split('\n'))
        {
            var row = new ManualRow(line);
            isIn = line.StartsWith('|') && (isIn || row.Begins(head));
            if (isIn && !row.Begins(head) && !line.StartsWith("|-", StringComparison.Ordinal))
                rows.Add(row);
        }

        return rows.Count > 0
            ? rows
            : throw new InvalidOperationException($"docs/operations.md has no table {string.Join(" | ", head)} under {section}.");
    }

    internal static string SectionOf(string heading)
    {
        string[] parts = Text.Split($"\n## {heading}\n");
        return parts.Length == 2
            ? parts[1].Split("\n## ")[0]
            : throw new InvalidOperationException($"docs/operations.md has no section {heading}.");
    }

    /// <summary>What is missing and what is too much, each with its name: a failed test says what to write.</summary>
    internal static void ShouldList(IEnumerable<string> listed, IEnumerable<string> inCode)
    {
        var (manual, code) = (listed.ToList(), inCode.ToList());
        string[] missing = [.. code.Except(manual).Order(StringComparer.Ordinal)];
        string[] superfluous = [.. manual.Except(code)
            .Concat(manual.GroupBy(r => r).Where(g => g.Count() > 1).Select(g => $"twice: {g.Key}")).Order(StringComparer.Ordinal)];
        (missing.Length + superfluous.Length).ShouldBe(
            0, $"docs/operations.md and the code differ.\nIn the code, not in the manual:\n  {string.Join("\n  ", missing)}\nIn the "
                + $"manual, not in the code:\n  {string.Join("\n  ", superfluous)}");
    }

    [GeneratedRegex("`([^`]+)`")]
    internal static partial Regex Code { get; }
}

/// <summary>One row of a table.</summary>
internal sealed class ManualRow(string line)
{
    private readonly string[] _cells = [.. line.Trim().Trim('|').Split('|').Select(c => c.Trim())];

    /// <summary>A cell as it is written, but for the marks of code.</summary>
    internal string this[int column] => _cells[column].Replace("`", "", StringComparison.Ordinal);

    internal bool Begins(string[] head) =>
        _cells.Take(head.Length).Select(c => c.Replace("`", "", StringComparison.Ordinal)).SequenceEqual(head);

    /// <summary>What is marked as code in a cell, in the order of the alphabet.</summary>
    internal IEnumerable<string> Names(int column) =>
        OperationsManual.Code.Matches(_cells[column]).Select(m => m.Groups[1].Value).Order(StringComparer.Ordinal);
}
