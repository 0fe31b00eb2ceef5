namespace HttpResilience.Configuration;

/// <summary>Finds the known key or name nearest to a misspelt one.</summary>
public static class Spelling
{
    /// <summary>The known word with the fewest letters to insert, delete or replace; upper and lower case are the same.</summary>
    /// <param name="word">The word as it was written.</param>
    /// <param name="known">At least one word.</param>
    public static string Nearest(string word, IEnumerable<string> known) =>
        known.MinBy(k => Distance(word.ToUpperInvariant(), k.ToUpperInvariant()))!;

    /// <summary>The nearest known word that is at most two letters away; null when there is none.</summary>
    internal static string? Similar(string word, IEnumerable<string> known)
    {
        string[] words = [.. known];
        if (words.Length == 0)
            return null;
        string nearest = Nearest(word, words);
        // Two letters of three are another word.
        return Distance(word.ToUpperInvariant(), nearest.ToUpperInvariant()) <= Math.Min(2, word.Length / 2) ? nearest : null;
    }

    // Levenshtein: the fewest letters to insert, delete or replace.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
