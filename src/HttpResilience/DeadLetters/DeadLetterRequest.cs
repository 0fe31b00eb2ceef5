using System.Collections.Frozen;
using System.Globalization;

namespace HttpResilience;

/// <summary>A request as a letter keeps it, and the letter as a request again.</summary>
internal static class DeadLetterRequest
{
    // Of the one message or the one hop (RFC 9110 §7.6.1), or of the one span: made anew for each.
    private static readonly FrozenSet<string> NotKept = FrozenSet.ToFrozenSet(
        ["Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "traceparent", "tracestate", "Request-Id", "Correlation-Context", "baggage"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The header fields that are kept: none that carries a secret, nor the key, which has a place of its own.</summary>
    internal static List<KeyValuePair<string, string>> HeadersOf(in RequestSnapshot request, HttpCall call)
    {
        var redaction = call.Policy.Logging.Redaction;
        string? keyHeader = call.IdempotencyKey is null ? null : call.Policy.Idempotency?.HeaderName;
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var (name, values) in request.Headers)
        {
            if (NotKept.Contains(name) || redaction.IsSecret(name) || name.Equals(keyHeader, StringComparison.OrdinalIgnoreCase))
                continue;
            foreach (string value in values)
                headers.Add(new(name, value));
        }

        return headers;
    }

    internal static Uri UriOf(Uri uri) => uri.UserInfo.Length == 0 ? uri : new UriBuilder(uri) { UserName = "", Password = "" }.Uri;

    internal static Dictionary<string, string> TagsOf(HttpCall call) =>
        call.Tags.Where(t => t.Value is not null).ToDictionary(t => t.Key, t => TextOf(t.Value));

    internal static string TextOf(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>The request once more. The client's own handlers and defaults add what is secret.</summary>
    /// <param name="redaction">Tells what is secret: what somebody has put into the row since is not sent.</param>
    internal static HttpRequestMessage ToRequest(DeadLetter letter, Redaction redaction)
    {
        var request = new HttpRequestMessage(new HttpMethod(letter.Method), letter.Uri);
        if (letter.Body is { } body)
            request.Content = new ReadOnlyMemoryContent(body);
        foreach (var (name, value) in letter.Headers)
        {
            if (NotKept.Contains(name) || redaction.IsSecret(name))
                continue;
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        request.Options.Set(ReplayedCall.Key, new(letter.Id, letter.FirstFailedAt, letter.MayHaveBeenProcessed, letter.Resolution is not null));
        if (letter.IdempotencyKey is { } key)
            request.WithIdempotencyKey(key);
        if (letter.Tenant is { } tenant)
            request.WithTenant(tenant);
        foreach (var (name, value) in letter.Tags)
            request.WithTag(name, value);
        return request;
    }
}
