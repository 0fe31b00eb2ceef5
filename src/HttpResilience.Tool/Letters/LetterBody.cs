using System.Text;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>The body of a letter as text, where it is text.</summary>
internal static class LetterBody
{
    internal const int MaxShown = 64 * 1024, MaxHex = 256;

    /// <summary>Null when it is not text in the character set of its content type.</summary>
    internal static string? TextOf(DeadLetter letter)
    {
        if (letter.Body is not { } body)
            return null;
        try
        {
            string text = EncodingOf(letter).GetString(body.Span);
            return text.Contains('\0', StringComparison.Ordinal) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The bytes of a text in the character set of the letter.</summary>
    /// <exception cref="ToolException">A character is not in it.</exception>
    internal static byte[] BytesOf(DeadLetter letter, string text)
    {
        try
        {
            return EncodingOf(letter).GetBytes(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ToolException($"The body is in {EncodingOf(letter).WebName}, which lacks a character of it.", innerException: e);
        }
    }

    /// <summary>For people: text with what a terminal would act on made visible, or the first bytes.</summary>
    internal static string Show(DeadLetter letter)
    {
        if (letter.KeyIsMissing)
            return "Protected with a key that this program does not have: only the application can read it.";
        if (letter.BodyIsMissing)
            return "Not kept: it could be read only once, or was longer than DeadLetter:MaxBodyBytes.";
        if (letter.Body is not { } body)
            return "None.";
        if (TextOf(letter) is not { } text)
        {
            string hex = Convert.ToHexString(body.Span[..Math.Min(MaxHex, body.Length)]);
            return $"{body.Length} bytes that are not text: {hex}{(body.Length > MaxHex ? "…" : "")}";
        }

        return text.Length <= MaxShown ? text : $"{text[..MaxShown]}…\n({body.Length} bytes; all of them with --save FILE)";
    }

    private static Encoding EncodingOf(DeadLetter letter)
    {
        string? charset = LetterModel.ContentTypeOf(letter) is { } type
            && System.Net.Http.Headers.MediaTypeHeaderValue.TryParse(type, out var parsed) ? parsed.CharSet : null;
        // Where it is not known here: shown as bytes, unless it is UTF-8 after all.
        return Charset.Find(charset) ?? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    }
}
