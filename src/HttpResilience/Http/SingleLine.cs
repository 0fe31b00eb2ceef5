using System.Buffers;
using System.Text;

namespace HttpResilience;

/// <summary>
/// Makes text that came from outside fit for one line of a log: control characters and line separators become spaces, and characters that
/// show nothing, or change the order of others (Unicode TR 36 §2.5), are left out.
/// </summary>
internal static class SingleLine
{
    // Soft hyphen, bidirectional marks, embeddings and isolates, zero-width characters, annotations.
    private const string Unseen =
        "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2065\u2066\u2067"
        + "\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufeff\ufff9\ufffa\ufffb";

    // The first half of tag characters (U+E0000 to U+E007F), which spell text that is not shown.
    private const char TagLead = '\udb40';

    private static readonly SearchValues<char> UnseenCharacters = SearchValues.Create(Unseen + TagLead);

    private static readonly SearchValues<char> Breaks = SearchValues.Create(
        [.. Enumerable.Range(0, 0xa0).Select(c => (char)c).Where(char.IsControl), '\u2028', '\u2029']);

    /// <summary>The text on one line, with all its characters visible and in order.</summary>
    internal static string Clean(string text) => WithoutBreaks(WithoutUnseen(text));

    /// <inheritdoc cref="Clean(string)"/>
    internal static ReadOnlySpan<char> Clean(ReadOnlySpan<char> text) =>
        text.ContainsAny(UnseenCharacters) || text.ContainsAny(Breaks) ? Clean(text.ToString()) : text;

    /// <summary>The text without characters that are not shown: a server may put them inside a name or a secret.</summary>
    internal static string WithoutUnseen(string text)
    {
        int first = text.AsSpan().IndexOfAny(UnseenCharacters);
        if (first < 0)
            return text;
        var seen = new StringBuilder(text.Length).Append(text, 0, first);
        for (int i = first; i < text.Length; i++)
        {
            if (text[i] == TagLead && i + 1 < text.Length && text[i + 1] is >= '\udc00' and <= '\udc7f')
                i++;
            else if (text[i] == TagLead || !UnseenCharacters.Contains(text[i]))
                seen.Append(text[i]);
        }

        return seen.Length == text.Length ? text : seen.ToString();
    }

    private static string WithoutBreaks(string text) => !text.AsSpan().ContainsAny(Breaks) ? text
        : string.Create(text.Length, text, static (cleaned, original) => original.AsSpan().ReplaceAny(cleaned, Breaks, ' '));
}
