using System.Buffers;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;

namespace HttpResilience;

/// <summary>
/// Reads the beginning of a body as text: by its Content-Encoding (RFC 9110 §8.4), which a primary handler may have left to the
/// application, and by its charset (RFC 9110 §8.3.2).
/// </summary>
internal static class EncodedText
{
    /// <summary>The text; null when its encoding is not known.</summary>
    /// <param name="body">The beginning of the body.</param>
    /// <param name="maxBytes">The most bytes that are decompressed.</param>
    internal static string? Read(HttpContentHeaders headers, ReadOnlyMemory<byte> body, int maxBytes)
    {
        // The last coding was applied last.
        foreach (string coding in headers.ContentEncoding.Reverse())
        {
            if (Decompress(coding, body, maxBytes) is not { } plain)
                return null;
            body = plain;
        }

        var encoding = CharsetOf(body.Span, headers.ContentType?.CharSet, out int mark);
        return Decode(encoding, body.Span[mark..]);
    }

    private static ReadOnlyMemory<byte>? Decompress(string coding, ReadOnlyMemory<byte> body, int maxBytes)
    {
        using var source = new MemoryStream(body.ToArray());
        using Stream? stream = coding.ToUpperInvariant() switch
        {
            "IDENTITY" => source,
            "GZIP" or "X-GZIP" => new GZipStream(source, CompressionMode.Decompress),
            // Servers send either form.
            "DEFLATE" => HasZlibHeader(body.Span)
                ? new ZLibStream(source, CompressionMode.Decompress) : new DeflateStream(source, CompressionMode.Decompress),
            "BR" when !OperatingSystem.IsBrowser() => new BrotliStream(source, CompressionMode.Decompress),
            _ => null,
        };
        if (stream is null)
            return null;

        byte[] plain = new byte[maxBytes];
        int length = 0;
        try
        {
            while (length < maxBytes && stream.Read(plain, length, maxBytes - length) is > 0 and var read)
                length += read;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or InvalidOperationException)
        {
            // The beginning of a body ends in the middle.
        }

        // Not as a conditional expression, which would convert null to an empty body.
        if (length == 0)
            return null;
        return plain.AsMemory(0, length);
    }

    // RFC 1950 §2.2.
    private static bool HasZlibHeader(ReadOnlySpan<byte> body) => body is [var method, var flags, ..]
        && (method & 0x0F) == 8 && (method * 256 + flags) % 31 == 0;

    private static Encoding CharsetOf(ReadOnlySpan<byte> body, string? charset, out int mark)
    {
        (var marked, mark) = body switch
        {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding.UTF8, 3),
            [0xFF, 0xFE, ..] => (Encoding.Unicode, 2),
            [0xFE, 0xFF, ..] => (Encoding.BigEndianUnicode, 2),
            _ => ((Encoding?)null, 0),
        };
        return marked ?? Named(charset?.Trim('"', '\'', ' ')) ?? Encoding.UTF8;
    }

    private static Encoding? Named(string? charset)
    {
        if (string.IsNullOrEmpty(charset))
            return null;
        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(charset) ?? Encoding.GetEncoding(charset);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    // A decoder keeps the half of a character at the end.
    private static string Decode(Encoding encoding, ReadOnlySpan<byte> body)
    {
        char[] text = ArrayPool<char>.Shared.Rent(encoding.GetMaxCharCount(body.Length));
        try
        {
            return new(text, 0, encoding.GetDecoder().GetChars(body, text, flush: false));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(text);
        }
    }
}
