namespace HttpResilience.AspNetCore;

/// <summary>A line of a difference.</summary>
/// <param name="Kind"><c>' '</c> for one that stays, <c>'-'</c> for one that goes, <c>'+'</c> for one that comes.</param>
/// <param name="Text">The line.</param>
internal readonly record struct DifferenceLine(char Kind, string Text);

/// <summary>The difference of two texts, line by line (Myers' shortest edit, by a table).</summary>
internal static class LineDifference
{
    // A table of this size takes a few milliseconds. Above it all lines between the first and the last change are shown as changed.
    private const int MaxCells = 4_000_000;

    /// <summary>The lines of both, in order.</summary>
    internal static IReadOnlyList<DifferenceLine> Of(string before, string after)
    {
        string[] old = LinesOf(before), now = LinesOf(after);
        int start = 0;
        while (start < old.Length && start < now.Length && old[start] == now[start])
            start++;
        int end = 0;
        while (end < old.Length - start && end < now.Length - start && old[^(end + 1)] == now[^(end + 1)])
            end++;

        List<DifferenceLine> lines = [.. old[..start].Select(Same)];
        lines.AddRange(Changed(old[start..^end], now[start..^end]));
        lines.AddRange(old[^end..].Select(Same));
        return lines;
    }

    /// <summary>Those that differ, with so many that stay around each; a null stands for what is left out.</summary>
    internal static IEnumerable<DifferenceLine?> Around(IReadOnlyList<DifferenceLine> lines, int context)
    {
        bool isLeftOut = false;
        for (int i = 0; i < lines.Count; i++)
        {
            bool isNear = false;
            for (int near = Math.Max(0, i - context); near <= Math.Min(lines.Count - 1, i + context); near++)
                isNear |= lines[near].Kind != ' ';
            if (isNear)
                yield return lines[i];
            else if (!isLeftOut)
                yield return null;
            isLeftOut = !isNear;
        }
    }

    private static DifferenceLine Same(string line) => new(' ', line);

    private static List<DifferenceLine> Changed(string[] old, string[] now)
    {
        if ((long)old.Length * now.Length > MaxCells)
            return [.. old.Select(line => new DifferenceLine('-', line)), .. now.Select(line => new DifferenceLine('+', line))];

        // longest[i, j]: how many lines old[i..] and now[j..] have in common, in order.
        var longest = new int[old.Length + 1, now.Length + 1];
        for (int i = old.Length - 1; i >= 0; i--)
        {
            for (int j = now.Length - 1; j >= 0; j--)
                longest[i, j] = old[i] == now[j] ? longest[i + 1, j + 1] + 1 : Math.Max(longest[i + 1, j], longest[i, j + 1]);
        }

        List<DifferenceLine> lines = [];
        for (int i = 0, j = 0; i < old.Length || j < now.Length;)
        {
            if (i < old.Length && j < now.Length && old[i] == now[j])
            {
                lines.Add(Same(old[i++]));
                j++;
            }
            else if (i < old.Length && (j == now.Length || longest[i + 1, j] >= longest[i, j + 1]))
            {
                lines.Add(new('-', old[i++]));
            }
            else
            {
                lines.Add(new('+', now[j++]));
            }
        }

        return lines;
    }

    private static string[] LinesOf(string text) => FormText.Lines(text).Split('\n');
}
