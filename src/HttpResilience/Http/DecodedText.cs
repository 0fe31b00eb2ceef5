using System.Globalization;

namespace HttpResilience;

/// <summary>
/// A text with the escapes of JSON, URIs and HTML decoded, and where each character stood: names and separators are found in whatever form
/// a server writes them. Only printable ASCII is decoded, and backslashes before other characters stay.
/// </summary>
internal sealed class DecodedText
{
    private const int MaxDepth = 3;

    private readonly char[] _characters;
    private readonly int[] _starts;

    internal DecodedText(string text)
        : this(text, text, start: null, isWhole: false)
    {
    }

    /// <param name="isWhole">Also escapes that structure a document: <c>\\</c>, <c>\"</c>, <c>\/</c>.</param>
    private DecodedText(string text, ReadOnlySpan<char> characters, int[]? start, bool isWhole)
    {
        Text = text;
        (_characters, _starts) = (new char[characters.Length], new int[characters.Length + 1]);
        int length = 0;
        for (int i = 0; i < characters.Length; length++)
        {
            var (character, taken) = isWhole && characters[i..] is ['\\', '\\' or '"' or '/' or '\'', ..] ? (characters[i + 1], 2)
                : Next(characters[i..]);
            (_characters[length], _starts[length]) = (character, start is null ? i : start[i]);
            i += taken;
        }

        Length = length;
        _starts[length] = text.Length;
    }

    /// <summary>
    /// The text as often decoded as it was encoded, but three times at most: a server echoes a value inside a document inside another one.
    /// </summary>
    internal static IEnumerable<DecodedText> Depths(string text)
    {
        var decoded = new DecodedText(text, text, start: null, isWhole: true);
        for (int depth = 0; depth < MaxDepth && decoded.Length < text.Length; depth++)
        {
            yield return decoded;
            var next = new DecodedText(text, decoded.Slice(0, decoded.Length), decoded._starts, isWhole: true);
            if (next.Length == decoded.Length)
                yield break;
            decoded = next;
        }
    }

    /// <summary>The parts of the text whose meaning is a secret.</summary>
    internal IEnumerable<(int Start, int End)> Find(SecretEchoes secrets) =>
        secrets.In(Slice(0, Length)).Select(found => (StartOf(found.Start), StartOf(found.End)));

    internal string Text { get; }

    internal int Length { get; }

    internal char this[int index] => index >= 0 && index < Length ? _characters[index] : '\0';

    /// <summary>Where a character starts in the text.</summary>
    internal int StartOf(int index) => _starts[Math.Min(index, Length)];

    internal bool IsEscaped(int index) => _starts[index + 1] - _starts[index] > 1;

    /// <summary>Whether two characters are written in the same way.</summary>
    internal bool IsSameForm(int index, int other) => Form(index).Equals(Form(other), StringComparison.OrdinalIgnoreCase);

    internal ReadOnlySpan<char> Slice(int start, int end) => _characters.AsSpan(start, Math.Max(0, Math.Min(end, Length) - start));

    internal int IndexOf(ReadOnlySpan<char> value, int start)
    {
        int found = Slice(start, Length).IndexOf(value, StringComparison.OrdinalIgnoreCase);
        return found < 0 ? -1 : start + found;
    }

    internal int IndexOf(char value, int start)
    {
        int found = Slice(start, Length).IndexOf(value);
        return found < 0 ? -1 : start + found;
    }

    private ReadOnlySpan<char> Form(int index) => Text.AsSpan(_starts[index], _starts[index + 1] - _starts[index]);

    private static (char Character, int Length) Next(ReadOnlySpan<char> text)
    {
        var escape = text[0] switch
        {
            '\\' when text is [_, 'u' or 'U', _, _, _, _, ..] => Hex(text[2..6], 6),
            '\\' when text is [_, 'x', _, _, ..] => Hex(text[2..4], 4),
            '%' when text is [_, _, _, ..] => Hex(text[1..3], 3),
            '&' when text is [_, '#', 'x' or 'X', ..] => Entity(text, 3, NumberStyles.AllowHexSpecifier),
            '&' when text is [_, '#', ..] => Entity(text, 2, NumberStyles.None),
            '&' => Named(text),
            _ => default((char Character, int Length)),
        };
        return escape.Length > 0 ? escape : (text[0], 1);
    }

    private static (char Character, int Length) Hex(ReadOnlySpan<char> digits, int length) =>
        Printable(digits, NumberStyles.AllowHexSpecifier, length);

    private static (char Character, int Length) Entity(ReadOnlySpan<char> text, int start, NumberStyles style)
    {
        int end = text[..Math.Min(text.Length, 10)].IndexOf(';');
        return end > start ? Printable(text[start..end], style, end + 1) : default;
    }

    private static (char Character, int Length) Printable(ReadOnlySpan<char> digits, NumberStyles style, int length) =>
        int.TryParse(digits, style, CultureInfo.InvariantCulture, out int code) && code is >= ' ' and < 0x7f
            ? ((char)code, length) : default;

    private static (char Character, int Length) Named(ReadOnlySpan<char> text) =>
        text.StartsWith("&quot;", StringComparison.OrdinalIgnoreCase) ? ('"', 6)
        : text.StartsWith("&apos;", StringComparison.OrdinalIgnoreCase) ? ('\'', 6)
        : text.StartsWith("&lt;", StringComparison.OrdinalIgnoreCase) ? ('<', 4)
        : text.StartsWith("&gt;", StringComparison.OrdinalIgnoreCase) ? ('>', 4)
        : text.StartsWith("&amp;", StringComparison.OrdinalIgnoreCase) ? ('&', 5)
        : default;
}
