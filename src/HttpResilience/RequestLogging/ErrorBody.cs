using System.Text;
using System.Text.Json;

namespace HttpResilience;

/// <summary>
/// Looks at the beginning of a failed response's body for the log and leaves the response as it was: what was read is put back in front of the rest.
/// A body that does not come soon is not waited for.
/// </summary>
internal static class ErrorBody
{
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromMilliseconds(250);

    internal static async ValueTask<string?> PeekAsync(HttpResponseMessage response, int maxBytes, TimeProvider time, bool async, CancellationToken cancellationToken) =>
        (await PeekProblemAsync(response, maxBytes, time, async, cancellationToken).ConfigureAwait(false))?.ToString();

    /// <summary>What the API says is wrong, in its own words; null when it says nothing.</summary>
    internal static async ValueTask<ProblemText?> PeekProblemAsync(HttpResponseMessage response, int maxBytes, TimeProvider time, bool async, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength == 0)
            return null;

        var peeked = await PeekedContent.PeekAsync(response, maxBytes, ReadTimeout, time, async, cancellationToken).ConfigureAwait(false);
        return Describe(response, peeked.Seen);
    }

    private static ProblemText? Describe(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
            return null;
        string type = response.Content.Headers.ContentType?.MediaType ?? "";
        return (type.EndsWith("json", StringComparison.OrdinalIgnoreCase) ? ProblemOf(body) : null) ?? new(Encoding.UTF8.GetString(body.Span), null);
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

/// <summary>What an API says is wrong.</summary>
/// <param name="Title">The title of a problem, else the body as it came.</param>
/// <param name="Detail">The detail of a problem that has a title as well.</param>
internal readonly record struct ProblemText(string Title, string? Detail)
{
    public override string ToString() => Detail is null ? Title : $"{Title}: {Detail}";
}
