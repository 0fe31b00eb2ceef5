namespace HttpResilience.AspNetCore;

/// <summary>Text as a form carries it: a browser shows and sends line ends in ways of its own, and nothing else.</summary>
internal static class FormText
{
    /// <summary>
    /// With <c>\n</c> for the line ends of forms. Other characters that end lines somewhere (NEL, LS, PS) stay as they are.
    /// </summary>
    internal static string Lines(string text) =>
        text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');

    /// <summary>All its lines end in one way that a form gives back.</summary>
    internal static bool IsUniform(string text)
    {
        int pairs = Count(text, "\r\n");
        return Count(text, "\r") == pairs && (pairs == 0 || Count(text, "\n") == pairs);
    }

    private static int Count(string text, string part) => text.AsSpan().Count(part);
}
