namespace HttpResilience;

/// <summary>Makes text that came from outside fit for one line of a log.</summary>
internal static class SingleLine
{
    /// <summary>The text with control characters and line separators as spaces.</summary>
    internal static string Clean(string text)
    {
        var span = text.AsSpan();
        if (!span.ContainsAnyInRange('\0', '\u001f') && !span.ContainsAnyInRange('\u007f', '\u009f')
            && !span.ContainsAny('\u2028', '\u2029'))
            return text;
        return string.Create(text.Length, text, static (cleaned, original) =>
        {
            for (int i = 0; i < cleaned.Length; i++)
                cleaned[i] = char.IsControl(original[i]) || original[i] is '\u2028' or '\u2029' ? ' ' : original[i];
        });
    }
}
