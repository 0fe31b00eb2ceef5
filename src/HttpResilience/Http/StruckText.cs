using System.Text;

namespace HttpResilience;

/// <summary>Parts of a text that are replaced by three asterisks.</summary>
internal static class StruckText
{
    internal const string Mark = "***";

    /// <summary>Replaces parts of a text; those that overlap are one.</summary>
    internal static string Of(string text, IEnumerable<(int Start, int End)> parts)
    {
        StringBuilder? struck = null;
        int done = 0;
        foreach (var (start, end) in parts.Order())
        {
            if (end <= done)
                continue;
            struck ??= new StringBuilder(text.Length);
            if (start >= done)
                struck.Append(text, done, start - done).Append(Mark);
            done = end;
        }

        return struck is null ? text : struck.Append(text, done, text.Length - done).ToString();
    }
}
