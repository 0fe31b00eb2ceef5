using System.Buffers;
using System.Text;

namespace HttpResilience.Operations;

/// <summary>Texts of alerts for chat programs: names of tenants and messages of servers must not act as markup.</summary>
internal static class ChatText
{
    // The programs reject longer messages as a whole.
    private const int MaxLength = 3000;

    // Those that CommonMark and Adaptive Cards give a meaning inside a line; the brace begins {{DATE(...)}}.
    private static readonly SearchValues<char> Markup = SearchValues.Create("\\`*_[]<>&{|~!");

    internal static string HeadOf(Alert alert) => alert.Phase switch
    {
        AlertPhase.Started => $"[{alert.Severity}]",
        AlertPhase.Reminder => $"[{alert.Severity}, still]",
        _ => "[Over]",
    };

    /// <summary>
    /// For Slack (docs.slack.dev, "Formatting message text"): three characters are control characters, and <c>&lt;!channel&gt;</c> would
    /// notify a whole channel. The signs of its markup have no escape: at the border of a word, where they act, they become similar ones.
    /// </summary>
    internal static string ForSlack(string text)
    {
        string cut = Cut(text);
        var escaped = new StringBuilder(cut.Length);
        for (int i = 0; i < cut.Length; i++)
        {
            bool isInWord = i > 0 && i + 1 < cut.Length && char.IsLetterOrDigit(cut[i - 1]) && char.IsLetterOrDigit(cut[i + 1]);
            escaped.Append(cut[i] switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                // A line that begins with it is a quotation.
                '>' => i == 0 ? "\u203A" : "&gt;",
                '*' when !isInWord => "\u2217",
                '_' when !isInWord => "\u02CD",
                '~' when !isInWord => "\u223C",
                '`' => "\u02CB",
                var c => c,
            });
        }

        return escaped.ToString();
    }

    /// <summary>For the Markdown of Adaptive Cards, with the backslash escapes of CommonMark §2.4.</summary>
    internal static string ForTeams(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (char c in Cut(text))
        {
            bool beginsBlock = c is '#' or '-' or '+' or '=' or '.' or ')' && IsBeginning(escaped);
            if (Markup.Contains(c) || beginsBlock)
                escaped.Append('\\');
            escaped.Append(c);
        }

        return escaped.ToString();
    }

    // Headings and lists begin a line: with a sign, or with a number and a sign.
    private static bool IsBeginning(StringBuilder escaped)
    {
        for (int i = 0; i < escaped.Length; i++)
        {
            if (!char.IsAsciiDigit(escaped[i]) && escaped[i] != ' ')
                return false;
        }

        return true;
    }

    private static string Cut(string text)
    {
        if (text.Length <= MaxLength)
            return text;
        int end = char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength;
        return $"{text[..end]}…";
    }
}
