namespace HttpResilience.Tool;

/// <summary>Prints what changed between two texts, line by line.</summary>
internal static class LineDifference
{
    private const int MaxLines = 40;

    internal static void Write(string before, string after)
    {
        string[] old = before.ReplaceLineEndings("\n").Split('\n'), now = after.ReplaceLineEndings("\n").Split('\n');
        int start = old.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
        int end = old.Skip(start).Reverse().Zip(now.Skip(start).Reverse()).TakeWhile(pair => pair.First == pair.Second).Count();
        Write("- ", old[start..^end]);
        Write("+ ", now[start..^end]);
    }

    private static void Write(string sign, string[] lines)
    {
        foreach (string line in lines.Take(MaxLines))
            Output.Write(sign + line);
        if (lines.Length > MaxLines)
            Output.Write($"{sign}… ({lines.Length - MaxLines} more lines)");
    }
}
