using System.Text.RegularExpressions;

namespace HttpResilience.Tests.Dashboards;

/// <summary>The series that an expression of PromQL names, with the labels that it needs of each.</summary>
internal sealed partial class PrometheusQuery
{
    private static readonly string[] Keywords = ["and", "or", "unless", "bool", "offset", "by", "on", "without", "ignoring"];

    private readonly List<(int Start, int End, string[] Labels)> _groupings = [];
    private readonly List<(int At, string Metric, string Matchers, string? Function)> _selectors = [];

    internal PrometheusQuery(string text)
    {
        // Some exporters leave the unit of a ratio out: what finds both names is one series here.
        text = EitherRatio.Replace(text, "$1_ratio{");
        Text = text;
        Matchers = [.. Matcher.Matches(text).Select(m => (m.Groups[1].Value, m.Groups[2].Value))];
        // Matchers stay where they are, but for their values; so does what stands around groupings.
        string bare = Matcher.Replace(text, m => $"{m.Groups[1].Value}=").Replace('\n', ' ');
        foreach (Match grouping in Grouping.Matches(bare))
        {
            int end = grouping.Index + grouping.Length;
            bool isOfAll = grouping.Groups[1].Value == "on";
            string[] labels = [.. grouping.Groups[2].Value.Split(',').Select(l => l.Trim())];
            _groupings.Add((isOfAll ? 0 : end, isOfAll ? bare.Length : EndOfParentheses(bare, end), labels));
            if (!isOfAll)
                Result ??= labels;
        }

        bare = Grouping.Replace(bare, m => new(' ', m.Length));
        bare = Range.Replace(bare, m => new(' ', m.Length));
        foreach (Match name in Name.Matches(bare))
        {
            bool isFunction = bare.AsSpan(name.Index + name.Groups[1].Length).TrimStart() is ['(', ..];
            if (!isFunction && !Keywords.Contains(name.Groups[1].Value))
                _selectors.Add((name.Index, name.Groups[1].Value, name.Groups[2].Value, FunctionBefore(bare, name.Index)));
        }
    }

    internal string Text { get; }

    /// <summary>The labels of the result, by its first grouping; null without one.</summary>
    internal IReadOnlyList<string>? Result { get; }

    /// <summary>Labels with what they are compared with.</summary>
    internal IReadOnlyList<(string Label, string Value)> Matchers { get; }

    internal IEnumerable<string> Metrics => _selectors.Select(s => s.Metric).Distinct();

    /// <summary>Each series with the labels that it is selected or grouped by.</summary>
    internal IEnumerable<(string Metric, string Label)> Labels =>
        from selector in _selectors
        let around = _groupings.Where(g => g.Start <= selector.At && selector.At < g.End)
        from label in MatchersOf(selector).Concat(around.SelectMany(g => g.Labels))
        where label.Length > 0
        select (selector.Metric, label);

    /// <summary>Each series with the labels of its own braces.</summary>
    internal IEnumerable<(string Metric, IReadOnlyList<string> Labels)> Selectors =>
        _selectors.Select(s => (s.Metric, (IReadOnlyList<string>)[.. MatchersOf(s)]));

    /// <summary>Each series with the function that it is the argument of.</summary>
    internal IEnumerable<(string Metric, string? Function)> Functions => _selectors.Select(s => (s.Metric, s.Function));

    private static IEnumerable<string> MatchersOf((int At, string Metric, string Matchers, string? Function) selector) =>
        selector.Matchers.Split('=', ',', '{', '}').Select(l => l.Trim()).Where(l => l.Length > 0);

    private static string? FunctionBefore(string text, int index) =>
        Before.Match(text[..index]) is { Success: true } match ? match.Groups[1].Value : null;

    private static int EndOfParentheses(string text, int start)
    {
        int depth = 0;
        for (int i = text.IndexOf('(', start); i < text.Length; i++)
        {
            depth += text[i] switch
            {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            if (depth == 0)
                return i;
        }

        throw new InvalidOperationException($"Parentheses that do not close: {text}");
    }

    [GeneratedRegex(@"([a-z_]+)\s*(?:=~|!~|!=|=)\s*""([^""]*)""")]
    private static partial Regex Matcher { get; }

    [GeneratedRegex(@"\{__name__=~""(\w+)\(_ratio\)\?"",?\s*")]
    private static partial Regex EitherRatio { get; }

    [GeneratedRegex(@"\b(by|on|without|ignoring)\s*\(([^)]*)\)")]
    private static partial Regex Grouping { get; }

    // A range, an offset, a number with its unit, a variable of Grafana.
    [GeneratedRegex(@"\[[^\]]*\]|\boffset\s+\w+|\$\w+")]
    private static partial Regex Range { get; }

    [GeneratedRegex(@"(?<![\w:.])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?")]
    private static partial Regex Name { get; }

    [GeneratedRegex(@"(\w+)\s*\(\s*$")]
    private static partial Regex Before { get; }
}
