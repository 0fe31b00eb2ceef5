using System.Text;
using System.Text.Json;

namespace HttpResilience;

/// <summary>
/// Looks at the beginning of a failed response's body for the log and leaves the response as it was: what was read is put back in front of the rest.
/// A body that does not come soon is not waited for.
/// </summary>
internal static class ErrorBody
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    internal static async ValueTask<string?> PeekAsync(HttpResponseMessage response, int maxBytes, TimeProvider time, bool async, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength == 0)
            return null;

        // The caller's token ends the waiting but not the reading: what is begun here, the reader of the response goes on with.
        var stream = async ? await response.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false) : response.Content.ReadAsStream(CancellationToken.None);
        if (stream.CanSeek)
            return Describe(response, await PeekBufferAsync(stream, maxBytes).ConfigureAwait(false));

        var peeked = new PeekedStream(stream, maxBytes);
        Task reading = peeked.PeekAsync();
        try
        {
            if (async)
                await reading.WaitAsync(Patience, time, cancellationToken).ConfigureAwait(false);
            else
                reading.WaitAsync(Patience, time, cancellationToken).GetAwaiter().GetResult();
        }
        catch (Exception)
        {
            // Too slow, or broken in whatever way: whoever reads the response will meet the same.
            peeked.Enough();
        }

        response.Content = new PeekedContent(response.Content, peeked);
        return Describe(response, peeked.Seen);
    }

    private static async ValueTask<byte[]> PeekBufferAsync(Stream stream, int maxBytes)
    {
        long position = stream.Position;
        byte[] buffer = new byte[Math.Min(maxBytes, stream.Length - position)];
        int length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, CancellationToken.None).ConfigureAwait(false);
        stream.Position = position;
        return buffer[..length];
    }

    private static string? Describe(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
            return null;
        string type = response.Content.Headers.ContentType?.MediaType ?? "";
        return (type.EndsWith("json", StringComparison.OrdinalIgnoreCase) ? ProblemOf(body) : null) ?? Encoding.UTF8.GetString(body.Span);
    }

    /// <summary>Title and detail of a problem (RFC 9457 §3.1), also when the rest of the document is missing.</summary>
    private static string? ProblemOf(ReadOnlyMemory<byte> body)
    {
        var reader = new Utf8JsonReader(body.Span, isFinalBlock: false, default);
        string? title = null;
        string? detail = null;
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is not JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                    continue;
                bool isTitle = reader.ValueTextEquals("title"u8);
                bool isDetail = reader.ValueTextEquals("detail"u8);
                if (!reader.Read())
                    break;
                if (reader.TokenType is not JsonTokenType.String)
                    continue;
                title = isTitle ? reader.GetString() : title;
                detail = isDetail ? reader.GetString() : detail;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }

        return (title, detail) is (not null, not null) ? $"{title}: {detail}" : title ?? detail;
    }
}
