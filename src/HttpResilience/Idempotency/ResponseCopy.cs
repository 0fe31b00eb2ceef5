using System.Collections.Frozen;
using System.Net;

namespace HttpResilience;

/// <summary>Converts a response to its stored form and back.</summary>
internal static class ResponseCopy
{
    internal const int MaxBodyBytes = IdempotencyPolicy.MaxRememberedBodyBytes;

    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(30);

    // Fields of one connection (RFC 9110 §7.6.1) or one proxy (RFC 9111 §3.1), and fields derived from the stored response.
    private static readonly FrozenSet<string> NotKept = FrozenSet.ToFrozenSet(
        [
            "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
            "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>Copies a response, which remains readable.</summary>
    /// <returns>Null when its body is too long, breaks off, or does not arrive in time.</returns>
    internal static async ValueTask<RememberedResponse?> TakeAsync(
        HttpResponseMessage response, Redaction redaction, TimeSpan timeout, TimeProvider time, bool async,
        CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > MaxBodyBytes
            || response.Content.Headers.ContentType?.MediaType == "text/event-stream")
            return null;

        List<KeyValuePair<string, string>> headers = [.. HeadersOf(response, redaction)];
        var readTimeout = timeout < ReadTimeout ? timeout : ReadTimeout;
        var body = await PeekedContent.PeekAsync(response, MaxBodyBytes + 1, readTimeout, time, async, cancellationToken)
            .ConfigureAwait(false);
        return body is { IsWhole: true, Seen: { Length: <= MaxBodyBytes } seen }
            ? new((int)response.StatusCode, ReasonOf(response, redaction), headers, seen) : null;
    }

    internal static HttpResponseMessage ToResponse(RememberedResponse remembered, HttpRequestMessage request)
    {
        var response = new HttpResponseMessage((HttpStatusCode)remembered.StatusCode)
        {
            ReasonPhrase = remembered.ReasonPhrase,
            RequestMessage = request,
            Content = new ReadOnlyMemoryContent(remembered.Body),
        };
        foreach (var (name, value) in remembered.Headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value))
                response.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }

    /// <summary>The stored reason phrase: the usual one is known, any other may echo a secret of the request.</summary>
    internal static string? ReasonOf(HttpResponseMessage response, Redaction redaction)
    {
        if (response.ReasonPhrase is not { } reason)
            return null;
        using var usual = new HttpResponseMessage(response.StatusCode);
        return reason == usual.ReasonPhrase ? reason : redaction.Scrub(reason, response.RequestMessage, response);
    }

    // RFC 9110 §7.6.1: the field names those that are meant for this connection only.
    private static bool IsOfConnection(HttpResponseMessage response, string name)
    {
        if (!response.Headers.NonValidated.TryGetValues("Connection", out var fields))
            return false;
        foreach (string field in fields)
        {
            foreach (var part in field.AsSpan().Split(','))
            {
                if (field.AsSpan()[part].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                    return true;
            }
        }

        return false;
    }

    /// <summary>The stored header fields.</summary>
    internal static IEnumerable<KeyValuePair<string, string>> HeadersOf(HttpResponseMessage response, Redaction redaction)
    {
        string[] secrets = redaction.EchoesOf(response.RequestMessage);
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
        {
            // Cookie fields are secrets by their names.
            if (NotKept.Contains(name) || IsOfConnection(response, name)
                || values.Any(value => !redaction.MayBeStored(name, value, secrets)))
                continue;
            foreach (string value in values)
                yield return new(name, value);
        }
    }
}
