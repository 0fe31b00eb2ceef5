using System.Text;

namespace HttpResilience.Operators;

/// <summary>The character sets of bodies.</summary>
internal static class Charset
{
    /// <summary>
    /// The encoding of a name, which throws for what it cannot express; UTF-8 without a name, null when it is not known here or not
    /// allowed, such as utf-7.
    /// </summary>
    /// <param name="name">As in a content type, with or without quotation marks.</param>
    internal static Encoding? Find(string? name)
    {
        try
        {
            return Encoding.GetEncoding(
                name?.Trim('"') is { Length: > 0 } named ? named : "utf-8", EncoderFallback.ExceptionFallback,
                DecoderFallback.ExceptionFallback);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
