namespace HttpResilience.Benchmarks;

/// <summary>A page of the docs with parts between markers, which commands write; the rest is written by hand.</summary>
internal sealed record MarkedPage(string Text)
{
    /// <summary>The lines of a part.</summary>
    /// <exception cref="FormatException">The page has no such part.</exception>
    internal string Part(string name)
    {
        var (begin, end) = Find(name);
        return Text[begin..end];
    }

    /// <summary>The page with other lines in a part.</summary>
    /// <exception cref="FormatException">The page has no such part.</exception>
    internal MarkedPage With(string name, string lines)
    {
        var (begin, end) = Find(name);
        return new($"{Text[..begin]}{lines.TrimEnd('\n')}\n{Text[end..]}");
    }

    private (int Begin, int End) Find(string name)
    {
        string first = $"<!-- {name} -->\n", last = $"<!-- /{name} -->";
        int begin = Text.IndexOf(first, StringComparison.Ordinal);
        int end = begin < 0 ? -1 : Text.IndexOf(last, begin, StringComparison.Ordinal);
        return end >= 0 ? (begin + first.Length, end) : throw new FormatException($"The page has no {first.TrimEnd()} followed by {last}.");
    }
}
