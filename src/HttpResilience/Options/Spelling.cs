namespace HttpResilience.Configuration;

/// <summary>Finds the known key or name nearest to a misspelt one.</summary>
public static class Spelling
{
    /// <summary>
    /// The known word with the fewest letters to insert, delete, replace or exchange with their neighbour; upper and lower case are the
    /// same.
    /// </summary>
    /// <param name="word">The word as it was written.</param>
    /// <param name="known">At least one word.</param>
    public static string Nearest(string word, IEnumerable<string> known) =>
        known.MinBy(k => Distance(word.ToUpperInvariant(), k.ToUpperInvariant()))!;

    /// <summary>The nearest known word, when at most two letters and half of the word differ; else null.</summary>
    /// <param name="word">The word as it was written.</param>
    /// <param name="known">The words.</param>
    public static string? Similar(string word, IEnumerable<string> known)
    {
        string[] words = [.. known];
        if (words.Length == 0)
            return null;
        string nearest = Nearest(word, words);
        // Two letters of three are another word.
        return Distance(word.ToUpperInvariant(), nearest.ToUpperInvariant()) <= Math.Min(2, word.Length / 2) ? nearest : null;
    }

    // The fewest letters to insert, delete or replace, or neighbours to exchange.
    private static int Distance(string a, string b)
    {
        int[] before = [], last = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int[] row = [i, .. new int[b.Length]];
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
            }

            (before, last) = (last, row);
        }

        return last[^1];
    }
}
