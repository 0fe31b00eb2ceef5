using System.Text;
using System.Text.Json;

namespace HttpResilience;

/// <summary>
/// Reads the beginning of a failed response's body, for the log and for the application's classifier. The response remains readable: the
/// bytes are prepended to the rest. The read has a short timeout.
/// </summary>
internal static class ErrorBody
{
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromMilliseconds(250);
    // Longer than for the log: a body that is late must not change the class of the failure.
    private static readonly TimeSpan ClassificationTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Reads the beginning ahead for a classifier, until the body has ended or failed or the token is cancelled.</summary>
    internal static async ValueTask ReadAheadAsync(
        HttpResponseMessage response, int maxBytes, TimeProvider time, bool async, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength != 0)
        {
            await PeekedContent.PeekAsync(response, maxBytes, ClassificationTimeout, time, async, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    internal static async ValueTask<string?> PeekAsync(
        HttpResponseMessage response, int maxBytes, TimeProvider time, bool async, CancellationToken cancellationToken) =>
        (await PeekProblemAsync(response, maxBytes, time, async, cancellationToken).ConfigureAwait(false))?.ToString();

    /// <summary>
    /// The type of a problem (RFC 9457 §3.1.1) in what was read ahead of the body; null when there is none.
    /// </summary>
    internal static string? ProblemTypeOf(HttpResponseMessage response)
    {
        if (!MayBeProblem(response) || response.Content is not PeekedContent { Seen: { IsEmpty: false } seen } content
            || EncodedText.Read(content.Headers, seen, seen.Length) is not { Length: > 0 } text)
            return null;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), isFinalBlock: false, default);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is not JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                    continue;
                bool isType = reader.ValueTextEquals("type"u8);
                if (!reader.Read())
                    break;
                if (isType)
                    return reader.TokenType is JsonTokenType.String ? reader.GetString() : null;
                if (!reader.TrySkip())
                    break;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What cannot be read has no type.
        }

        return null;
    }

    /// <summary>Its body has the media type of a problem.</summary>
    internal static bool MayBeProblem(HttpResponseMessage response) =>
        // Bytes that a handler answers with have no media type, and make their headers when they are asked for.
        response.Content.GetType() != typeof(ByteArrayContent)
        && response.Content.Headers is { ContentLength: not 0, ContentType.MediaType: { } type }
        && type.Equals("application/problem+json", StringComparison.OrdinalIgnoreCase);

    /// <summary>The error text of the API; null when the body is empty.</summary>
    internal static async ValueTask<ProblemText?> PeekProblemAsync(
        HttpResponseMessage response, int maxBytes, TimeProvider time, bool async, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength == 0)
            return null;

        var peeked = await PeekedContent.PeekAsync(response, maxBytes, ReadTimeout, time, async, cancellationToken).ConfigureAwait(false);
        return Describe(response, peeked.Seen[..Math.Min(maxBytes, peeked.Seen.Length)], maxBytes);
    }

    private static ProblemText? Describe(HttpResponseMessage response, ReadOnlyMemory<byte> body, int maxBytes)
    {
        var headers = response.Content.Headers;
        if (body.IsEmpty || EncodedText.Read(headers, body, maxBytes) is not { Length: > 0 } text)
            return null;
        bool isJson = headers.ContentType?.MediaType?.EndsWith("json", StringComparison.OrdinalIgnoreCase) is true;
        return (isJson ? ProblemOf(Encoding.UTF8.GetBytes(text)) : null) ?? new(text, null);
    }

    /// <summary>Title and detail of a problem (RFC 9457 §3.1), also when the rest of the document is missing.</summary>
    private static ProblemText? ProblemOf(ReadOnlyMemory<byte> body)
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

        return title is not null ? new(title, detail) : detail is not null ? new(detail, null) : null;
    }
}

/// <summary>The error text of an API.</summary>
/// <param name="Title">The title of a problem, else the raw body.</param>
/// <param name="Detail">The detail of a problem with a title.</param>
internal readonly record struct ProblemText(string Title, string? Detail)
{
    public override string ToString() => Detail is null ? Title : $"{Title}: {Detail}";
}
