using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace HttpResilience;

/// <summary>
/// The content of the next attempt. A handler, or the caller, may have disposed the one of the attempt before, read its stream to the end,
/// or added parts to it.
/// </summary>
/// <param name="content">The content of the request before its first attempt.</param>
internal sealed class ResentContent(MultipartContent content)
{
    private readonly (HttpContent Content, ResentContent? Parts)[] _parts = [.. content.Select(p => (p, PartsOf(p)))];
    private readonly HeaderStringValues _type = content.Headers.NonValidated.TryGetValues("Content-Type", out var type) ? type : default;

    /// <summary>The parts of a multipart body, which can be added to and are lost when it is disposed; null for other contents.</summary>
    internal static ResentContent? PartsOf(HttpContent? content) => content is MultipartContent multipart ? new(multipart) : null;

    /// <returns>
    /// The content itself when it can be sent as it is, else another one with the same bytes; null when they are lost. Its header fields
    /// may differ.
    /// </returns>
    internal static HttpContent? Of(HttpContent content, ResentContent? parts)
    {
        bool canReset = content is not OwnedContent owned || owned.TryReset();
        return RequestBody.IsInMemory(content) ? Rewound(content) ?? Copy(content)
            : RequestBody.IsBuffered(content) ? Rewound(content)
            : canReset ? OfUnbuffered(content, parts) : null;
    }

    private static HttpContent? OfPart(HttpContent content, ResentContent? parts) =>
        RequestBody.IsInMemory(content) ? Rewound(content) ?? Copy(content) : OfUnbuffered(content, parts);

    private static HttpContent? OfUnbuffered(HttpContent content, ResentContent? parts) => content switch
    {
        JsonContent json => Copy(json),
        MultipartContent multipart when parts is not null => parts.Rebuild(multipart),
        StreamContent stream => CanRewind(stream) ? stream : null,
        _ => content,
    };

    /// <summary>The bytes of a content that was disposed, or whose stream was closed.</summary>
    private static ByteArrayContent? Copy(HttpContent content) =>
        ProtectedContent.BytesOf(content) is { } bytes ? WithFieldsOf(content, new ByteArrayContent(bytes)) : null;

    private static JsonContent? Copy(JsonContent content) =>
        ProtectedContent.TypeInfoOf(content) is { } type ? WithFieldsOf(content, JsonContent.Create(content.Value, type)) : null;

    private static HttpContent? Rewound(HttpContent content)
    {
        try
        {
            var stream = RequestBody.StreamOf(content);
            if (stream.CanSeek)
            {
                stream.Position = 0;
                return content;
            }

            // A handler has closed the stream. Reading the bytes of a part would add a field to it.
            if (RequestBody.IsInMemory(content))
                return Copy(content);
            byte[] bytes = content.ReadAsByteArrayAsync(CancellationToken.None).GetAwaiter().GetResult();
            return WithFieldsOf(content, new ByteArrayContent(bytes));
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    private static bool CanRewind(StreamContent content)
    {
        try
        {
            var stream = RequestBody.StreamOf(content);
            if (stream.CanSeek)
                stream.Position = ProtectedContent.StartOf(content, stream);
            return stream.CanSeek;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private static T WithFieldsOf<T>(HttpContent content, T copy)
        where T : HttpContent
    {
        copy.Headers.Clear();
        foreach (var (name, values) in content.Headers.NonValidated)
            copy.Headers.TryAddWithoutValidation(name, values);
        return copy;
    }

    private MultipartContent? Rebuild(MultipartContent original)
    {
        if (Boundary is not { } boundary)
            return original.SequenceEqual(_parts.Select(p => p.Content)) ? original : null;

        var copy = original is MultipartFormDataContent ? new MultipartFormDataContent(boundary) : new MultipartContent("mixed", boundary);
        foreach (var (part, parts) in _parts)
        {
            if (OfPart(part, parts) is not { } resent)
                return null;
            copy.Add(resent);
        }

        copy.HeaderEncodingSelector = original.HeaderEncodingSelector;
        return WithFieldsOf(original, copy);
    }

    // Null when the application has replaced the field by one that does not fit the body.
    private string? Boundary => MediaTypeHeaderValue.TryParse(_type.ToString(), out var type)
        ? type.Parameters.FirstOrDefault(p => p.Name.Equals("boundary", StringComparison.OrdinalIgnoreCase))?.Value?.Trim('"') : null;
}
