using System.Globalization;
using System.Text;

namespace HttpResilience.AspNetCore;

/// <summary>
/// Text that comes from outside: APIs, letters, tags, names. It is shown with what it would hide, and never longer than its place.
/// </summary>
internal static class ForeignText
{
    /// <summary>How many characters lists show.</summary>
    internal const int InLists = 200;

    /// <summary>Shows control and format characters as <c>⟨U+202E⟩</c>, and shortens it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="max">How many characters of it at most.</param>
    /// <param name="keepsLines">Line breaks and tabs stay as they are.</param>
    internal static string Visible(string? text, int max = InLists, bool keepsLines = false)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        var shown = new StringBuilder(Math.Min(text.Length, max) + 1);
        int left = max;
        foreach (var rune in text.EnumerateRunes())
        {
            if (left-- == 0)
                return shown.Append('…').ToString();
            if (keepsLines && rune.Value is '\n' or '\r' or '\t')
                shown.Append((char)rune.Value);
            else if (IsHidden(rune))
                shown.Append(CultureInfo.InvariantCulture, $"⟨U+{rune.Value:X4}⟩");
            else
                shown.Append(rune);
        }

        return shown.ToString();
    }

    // What a reader would not see: it could reorder or hide the rest.
    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate;
}
