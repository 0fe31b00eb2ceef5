using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace HttpResilience;

/// <summary>The beginning of a request body as text, as far as it is in memory, after the call has failed.</summary>
internal static class RequestText
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>
    /// The texts: one, or those of the parts of a multipart body, each with the name of its part; none when it is a stream.
    /// </summary>
    internal static IEnumerable<(string? Name, string Text)> Of(HttpContent? content)
    {
        if (content is MultipartContent parts)
            return parts.ToArray().SelectMany(part => Of(part).Select(text => (NameOf(part) ?? text.Name, text.Text)));
        return BytesOf(content) is { Length: > 0 } bytes && content!.Headers is var headers
            && EncodedText.Read(headers, bytes.AsMemory(0, Math.Min(bytes.Length, MaxBytes)), MaxBytes) is { } text
            ? [(null, text)] : [];
    }

    private static string? NameOf(HttpContent part) => part.Headers.ContentDisposition?.Name?.Trim('"');

    private static byte[]? BytesOf(HttpContent? content)
    {
        try
        {
            return content switch
            {
                null => null,
                ReplayableContent recorded => recorded.Recorded,
                _ when RequestBody.IsInMemory(content) => ProtectedContent.BytesOf(content),
                JsonContent json when RepeatableJson.IsValue(json) && ProtectedContent.TypeInfoOf(json) is { } type
                    => Serialize(json, type),
                _ => null,
            };
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The application's own type, or a content that it has disposed.
            return null;
        }
    }

    private static byte[] Serialize(JsonContent content, JsonTypeInfo type)
    {
        var written = new Beginning();
        try
        {
            JsonSerializer.Serialize(written, content.Value, type);
        }
        catch (Exception e) when (e is IOException or NotSupportedException or JsonException)
        {
            // The beginning is enough.
        }

        return written.ToArray();
    }

    /// <summary>Takes the beginning of what is written, and ends the writer.</summary>
    private sealed class Beginning : MemoryStream
    {
        // The base class calls it for spans, too.
        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, (int)Math.Min(count, MaxBytes - Length));
            if (Length >= MaxBytes)
                throw new IOException("The beginning is written.");
        }
    }
}
