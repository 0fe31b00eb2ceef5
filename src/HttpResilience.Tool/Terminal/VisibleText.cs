using System.Globalization;
using System.Text;

namespace HttpResilience.Tool;

/// <summary>
/// Text from outside as a terminal may show it: a control character would act on the terminal, and one of direction would make a text look
/// like another. They are shown as <c>⟨U+202E⟩</c>.
/// </summary>
internal static class VisibleText
{
    internal static string Of(string text)
    {
        if (!text.EnumerateRunes().Any(IsHidden))
            return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsHidden(rune))
                shown.Append(CultureInfo.InvariantCulture, $"⟨U+{rune.Value:X4}⟩");
            else
                shown.Append(rune.ToString());
        }

        return shown.ToString();
    }

    /// <summary>In one line, and no longer than its place.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">The most characters that are shown.</param>
    internal static string Line(string text, int length)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= length)
            return Of(line);
        int end = char.IsHighSurrogate(line[length - 1]) ? length - 1 : length;
        return Of(line[..end]) + "…";
    }

    // Line ends are the caller's: a body has them.
    private static bool IsHidden(Rune rune) => rune.Value is not ('\n' or '\t') && (Rune.IsControl(rune)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || rune == Rune.ReplacementChar);
}
