using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// A request as it was before its first attempt. Inner handlers, redirects and tracing (<c>traceparent</c>, W3C Trace Context) change the
/// message; each attempt starts with the original.
/// </summary>
internal readonly struct RequestSnapshot
{
    private static readonly HttpRequestOptionsKey<HttpRequestMessage> AskedForKey = new("HttpResilience.AskedFor");

    private readonly HttpMethod _method;
    private readonly Uri? _uri;
    private readonly HttpContent? _content;
    private readonly KeyValuePair<string, HeaderStringValues>[] _headers;
    private readonly KeyValuePair<string, HeaderStringValues>[] _contentHeaders;

    internal RequestSnapshot(HttpRequestMessage request)
    {
        _method = request.Method;
        _uri = request.RequestUri;
        _content = request.Content;
        _headers = Copy(request.Headers.NonValidated);
        _contentHeaders = _content is null ? [] : Copy(_content.Headers.NonValidated);
    }

    internal HttpMethod Method => _method;

    internal Uri? Uri => _uri;

    /// <summary>Scheme, host and port of the absolute URI.</summary>
    internal string Authority => new HttpAuthority(_uri!).ToString();

    internal HttpContent? Content => _content;

    /// <summary>The header fields of the request, then those of its content.</summary>
    internal IEnumerable<KeyValuePair<string, HeaderStringValues>> Headers => _headers.Concat(_contentHeaders);

    /// <summary>The request applies only to a certain state of the resource (RFC 9110 §13.1).</summary>
    internal bool IsConditional => Array.Exists(_headers, h => IsCondition(h.Key));

    internal static bool IsCondition(string field) => field.StartsWith("If-", StringComparison.OrdinalIgnoreCase);

    /// <summary>The original request without its body: the request itself unless a redirect has changed it.</summary>
    internal static HttpRequestMessage AskedFor(HttpRequestMessage request) =>
        request.Options.TryGetValue(AskedForKey, out var asked) ? asked : request;

    /// <summary>
    /// Stores the original request on the message when the last attempt has changed it; the log reports and redacts that one.
    /// </summary>
    internal void RecordOriginal(HttpRequestMessage request)
    {
        if (ReferenceEquals(request.RequestUri, _uri) && request.Method == _method)
            return;

        var asked = new HttpRequestMessage(_method, _uri);
        Restore(asked.Headers, _headers);
        request.Options.Set(AskedForKey, asked);
    }

    internal void Restore(HttpRequestMessage request)
    {
        request.Method = _method;
        request.RequestUri = _uri;
        request.Content = _content;
        Restore(request.Headers, _headers);
        if (_content is not null)
            Restore(_content.Headers, _contentHeaders);
    }

    private static KeyValuePair<string, HeaderStringValues>[] Copy(HttpHeadersNonValidated headers)
    {
        if (headers.Count == 0)
            return [];

        var copy = new KeyValuePair<string, HeaderStringValues>[headers.Count];
        int i = 0;
        foreach (var header in headers)
            copy[i++] = header;
        return copy;
    }

    private static void Restore(HttpHeaders headers, KeyValuePair<string, HeaderStringValues>[] original)
    {
        string[] added = [.. headers.NonValidated.Select(h => h.Key).Except(original.Select(h => h.Key), StringComparer.OrdinalIgnoreCase)];
        foreach (string name in added)
            headers.Remove(name);

        foreach (var (name, values) in original)
        {
            if (headers.NonValidated.TryGetValues(name, out var now) && now.SequenceEqual(values))
                continue;
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, values);
        }
    }
}
