using System.Buffers;

namespace HttpResilience;

/// <summary>Finds secrets in a text in one pass, however many there are.</summary>
/// <param name="secrets">The longest first, and none empty.</param>
internal sealed class SecretEchoes(string[] secrets)
{
    // Bounds the memory of the search, not the secrets that it finds.
    private const int MaxPrefixLength = 8;

    private readonly SearchValues<string> _prefixes = SearchValues.Create(
        [.. secrets.Select(s => s[..Math.Min(s.Length, MaxPrefixLength)]).Distinct(StringComparer.OrdinalIgnoreCase)],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>The parts of the text that are a secret; they may overlap.</summary>
    internal List<(int Start, int End)> In(ReadOnlySpan<char> text)
    {
        List<(int Start, int End)> found = [];
        for (int start = 0; start < text.Length && text[start..].IndexOfAny(_prefixes) is >= 0 and var next; start++)
        {
            start += next;
            int length = LengthAt(text[start..]);
            if (length > 0)
                found.Add((start, start + length));
        }

        return found;
    }

    private int LengthAt(ReadOnlySpan<char> text)
    {
        foreach (string secret in secrets)
        {
            if (text.StartsWith(secret, StringComparison.OrdinalIgnoreCase))
                return secret.Length;
        }

        return 0;
    }
}
