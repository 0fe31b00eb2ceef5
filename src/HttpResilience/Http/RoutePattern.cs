using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace HttpResilience;

/// <summary>
/// The pattern of a route: a method, or none for all, and a path. A segment of the path is a text, or <c>*</c> for any one; <c>**</c> at
/// the end stands for any number of segments, also none. As with the routes of ASP.NET Core and YARP, upper and lower case are the same, a
/// slash at the end does not count, and the query is not compared.
/// </summary>
internal sealed partial class RoutePattern
{
    /// <summary>The form of a pattern in the configuration, for the JSON schema: there a colon would split the key.</summary>
    internal const string FormOfKey = Start + Text + ":" + End;

    private const string Form = Start + Text + End;
    private const string Start = @"^([A-Za-z][A-Za-z0-9_.-]* |\* )?(?=/)(/(\*|(?!\.\.?(/|$))(";
    private const string Text = @"[^/*?#{}\\%\s";
    private const string End = @"]|%[0-9A-Fa-f]{2})+))*(/\*\*|/)?$";
    private const int Timeout = 1000;

    // A character of a text has at most three bytes, and an escaped byte three characters.
    private const int MaxEscaped = 9;

    // Null for any one.
    private readonly string?[] _segments;

    private RoutePattern(string text, string? method, string?[] segments, bool isOpen) =>
        (Written, Method, _segments, IsOpen) = (text, method, segments, isOpen);

    /// <summary>As it was written.</summary>
    internal string Written { get; }

    /// <summary>Null for all methods.</summary>
    internal string? Method { get; }

    /// <summary>It ends with <c>**</c>.</summary>
    private bool IsOpen { get; }

    /// <summary>The same for all spellings of one pattern.</summary>
    internal string Identity => field ??= string.Concat(
        [$"{Method} ", .. _segments.Select(s => $"/{(s is null ? "*" : Uri.EscapeDataString(s))}"), IsOpen ? "/**" : ""])
        .ToUpperInvariant();

    internal static bool TryParse(string text, [NotNullWhen(true)] out RoutePattern? pattern)
    {
        pattern = null;
        if (text.EndsWith('\n') || !Whole().IsMatch(text))
            return false;

        int path = text.IndexOf('/', StringComparison.Ordinal);
        string? method = path == 0 || text[0] == '*' ? null : text[..(path - 1)];
        string[] segments = text[(path + 1)..] is var rest && rest.EndsWith('/') ? rest[..^1].Split('/') : rest.Split('/');
        bool isOpen = segments[^1] == "**";
        int count = isOpen || segments is [""] ? segments.Length - 1 : segments.Length;
        pattern = new(text, method, [.. segments.Take(count).Select(s => s == "*" ? null : Uri.UnescapeDataString(s))], isOpen);
        return true;
    }

    /// <summary>How a text that is not a pattern is written as one; null when it cannot be guessed.</summary>
    internal static string? Remedy(string text)
    {
        string fixedText = text.Trim();
        if (fixedText.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme)
        {
            int start = fixedText.LastIndexOf(' ', scheme) + 1, path = fixedText.IndexOf('/', scheme + 3);
            fixedText = fixedText[..start] + (path < 0 ? "/" : fixedText[path..]);
        }

        fixedText = Rest().Replace(fixedText.Split('?', '#')[0].Replace('\\', '/'), "/**");
        fixedText = Parameter().Replace(fixedText, "*");
        string[] parts = fixedText.Split((char[])[' ', '\t', ':'], StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is 0 or > 2)
            return null;
        string[] segments = parts[^1].Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts is [var word] && HttpMethods.Names.Contains(word, StringComparer.OrdinalIgnoreCase))
            return $"{word} /**";
        if (parts is [_, "*"])
            segments = ["**"];
        segments = [.. segments.Select((s, i) => s == "**" && i == segments.Length - 1 ? s : s.Contains('*') ? "*" : s)];
        fixedText = $"{(parts.Length == 2 ? $"{parts[0]} " : "")}/{string.Join('/', segments)}";
        return fixedText != text && Whole().IsMatch(fixedText) ? fixedText : null;
    }

    /// <summary>The request is one of the route's.</summary>
    /// <param name="path">An absolute path, as it is sent.</param>
    internal bool Matches(string method, ReadOnlySpan<char> path) =>
        // The platform compares methods without case.
        (Method is null || Method.Equals(method, StringComparison.OrdinalIgnoreCase)) && Matches(path);

    private bool Matches(ReadOnlySpan<char> path)
    {
        var rest = path.IsEmpty ? path : path[1..];
        foreach (string? segment in _segments)
        {
            if (rest.IsEmpty)
                return false;
            int end = rest.IndexOf('/');
            var part = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            if (segment is null ? part.IsEmpty : !IsSame(segment, part))
                return false;
        }

        return IsOpen || rest.IsEmpty;
    }

    /// <summary>
    /// Less than 0 when this pattern is more specific than another one that matches the same request: from left to right a text is more
    /// specific than <c>*</c>, and that more than <c>**</c>; of the same path, a method is more specific than none.
    /// </summary>
    /// <param name="texts">How many texts are before its path.</param>
    /// <param name="textsOfOther">How many texts are before the path of the other.</param>
    internal int CompareTo(RoutePattern other, int texts, int textsOfOther)
    {
        for (int i = 0; i < texts + _segments.Length || i < textsOfOther + other._segments.Length; i++)
        {
            int difference = KindAt(i - texts) - other.KindAt(i - textsOfOther);
            if (difference != 0)
                return difference;
        }

        int ofEnd = (IsOpen ? 1 : 0) - (other.IsOpen ? 1 : 0);
        return ofEnd != 0 ? ofEnd : (Method is null ? 1 : 0) - (other.Method is null ? 1 : 0);
    }

    private int KindAt(int index) => index < 0 ? 0 : index < _segments.Length ? _segments[index] is null ? 1 : 0 : 2;

    private static bool IsSame(string text, ReadOnlySpan<char> part)
    {
        if (!part.Contains('%'))
            return part.Equals(text, StringComparison.OrdinalIgnoreCase);
        return part.Length <= text.Length * MaxEscaped
            && Uri.UnescapeDataString(part).Equals(text, StringComparison.OrdinalIgnoreCase);
    }

    [GeneratedRegex(Form, RegexOptions.ExplicitCapture, Timeout)]
    private static partial Regex Whole();

    // {*rest} and {**rest} of ASP.NET Core.
    [GeneratedRegex(@"/\{\*+[^/{}]*\}$", RegexOptions.ExplicitCapture, Timeout)]
    private static partial Regex Rest();

    [GeneratedRegex(@"\{[^/{}]*\}", RegexOptions.ExplicitCapture, Timeout)]
    private static partial Regex Parameter();
}
