using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// A request as it was before its first attempt. Inner handlers, redirects and tracing (<c>traceparent</c>, W3C Trace Context) change the
/// message; each attempt starts with the original.
/// </summary>
internal struct RequestSnapshot
{
    private const string Authorization = "Authorization";

    // Above twice as many the platform keeps the fields in no order.
    private const int MaxCounted = 32;

    private static readonly HttpRequestOptionsKey<HttpRequestMessage> AskedForKey = new("HttpResilience.AskedFor");

    private HttpMethod _method;
    private Uri? _uri;
    private HttpContent? _content;
    private ResentContent? _parts;
    // Null when the fields of the request are counted only.
    private KeyValuePair<string, HeaderStringValues>[]? _headers;
    private KeyValuePair<string, HeaderStringValues>[]? _contentHeaders;
    private HeaderStringValues _authorization;
    private int _count;

    /// <inheritdoc cref="Take"/>
    internal RequestSnapshot(HttpRequestMessage request, bool toTransport = false)
    {
        _method = request.Method;
        Take(request, toTransport);
    }

    /// <summary>Takes the snapshot of a request into a default one, where it is kept: it has too many fields to be copied.</summary>
    /// <param name="toTransport">
    /// The request goes to the platform's handler that sends it and to no handler of the application: that may add fields, and follow
    /// redirects, for which it removes the credentials, but changes no other field. Its fields are counted then, because reading them costs
    /// more than all the rest of a snapshot.
    /// </param>
    internal void Take(HttpRequestMessage request, bool toTransport)
    {
        _method = request.Method;
        _uri = request.RequestUri;
        _content = request.Content;
        if (_content is not null)
            _parts = ResentContent.PartsOf(_content);
        if (toTransport)
        {
            if (!request.MayHaveHeaders)
                return;
            var headers = request.Headers.NonValidated;
            _count = headers.Count;
            // A redirect that drops the body drops that field too.
            if (_count <= MaxCounted && (_content is null || !headers.Contains("Transfer-Encoding")))
            {
                headers.TryGetValues(Authorization, out _authorization);
                return;
            }
        }

        _headers = request.MayHaveHeaders ? Copy(request.Headers.NonValidated) : [];
        _contentHeaders = _content is null ? [] : Copy(_content.Headers.NonValidated);
    }

    internal readonly HttpMethod Method => _method;

    internal readonly Uri? Uri => _uri;

    /// <summary>Scheme, host and port of the absolute URI.</summary>
    internal readonly string Authority => new HttpAuthority(_uri!).ToString();

    internal readonly HttpContent? Content => _content;

    /// <summary>The body can be sent once more.</summary>
    internal readonly bool IsReplayable =>
        _content is null || (!RequestBody.HasWrongLength(_content) && ResentContent.Of(_content, _parts) is not null);

    /// <summary>The content with all its bytes, after a handler has disposed it; null when there is none, or they are lost.</summary>
    internal readonly HttpContent? ReadableContent => _content is ReplayableContent or null ? _content : ResentContent.Of(_content, _parts);

    /// <summary>The header fields of the request, then those of its content. Not when they are counted only.</summary>
    internal readonly IEnumerable<KeyValuePair<string, HeaderStringValues>> Headers => _headers!.Concat(_contentHeaders!);

    /// <summary>
    /// The request applies only to a certain state of the resource (RFC 9110 §13.1). Not when its fields are counted only.
    /// </summary>
    internal readonly bool IsConditional => Array.Exists(_headers!, h => IsCondition(h.Key));

    internal static bool IsCondition(string field) => field.StartsWith("If-", StringComparison.OrdinalIgnoreCase);

    /// <summary>The original request without its body: the request itself unless a redirect has changed it.</summary>
    internal static HttpRequestMessage AskedFor(HttpRequestMessage request) =>
        request.Options.TryGetValue(AskedForKey, out var asked) ? asked : request;

    /// <summary>
    /// Stores the original request on the message when the last attempt has changed it; the log reports and redacts that one.
    /// </summary>
    internal readonly void RecordOriginal(HttpRequestMessage request)
    {
        if (ReferenceEquals(request.RequestUri, _uri) && request.Method == _method)
            return;

        var asked = new HttpRequestMessage(_method, _uri);
        Restore(asked.Headers, HeadersOf(request));
        request.Options.Set(AskedForKey, asked);
    }

    /// <summary>Makes the request what it was before its first attempt.</summary>
    /// <returns>
    /// The request to send: the message itself, or a copy when a handler or the caller has disposed it; null when its body is lost.
    /// </returns>
    internal readonly HttpRequestMessage? Restore(HttpRequestMessage request)
    {
        var content = _content is null ? null : ResentContent.Of(_content, _parts);
        if (content is not null && (_contentHeaders is not null || content != _content))
            Restore(content.Headers, _contentHeaders ?? Copy(_content!.Headers.NonValidated));
        var restored = Restore(request, content ?? _content);
        return content is null && _content is not null ? null : restored;
    }

    private readonly HttpRequestMessage Restore(HttpRequestMessage request, HttpContent? content)
    {
        try
        {
            request.Content = content;
        }
        catch (ObjectDisposedException)
        {
            request = CopyOf(request);
            request.Content = content;
        }

        request.Method = _method;
        request.RequestUri = _uri;
        if (request.MayHaveHeaders || _headers is { Length: > 0 })
            Restore(request.Headers, HeadersOf(request));
        return request;
    }

    // Fields that are added come after the others.
    private readonly KeyValuePair<string, HeaderStringValues>[] HeadersOf(HttpRequestMessage request)
    {
        if (_headers is not null)
            return _headers;
        bool isAuthorized = _authorization.Count > 0;
        int others = isAuthorized ? _count - 1 : _count;
        var before = new List<KeyValuePair<string, HeaderStringValues>>(_count);
        foreach (var header in request.Headers.NonValidated)
        {
            if (header.Key != Authorization && others-- > 0)
                before.Add(header);
            else if (header.Key == Authorization && isAuthorized)
                before.Add(new(Authorization, _authorization));
        }

        if (before.Count < _count)
            before.Add(new(Authorization, _authorization));
        return [.. before];
    }

    private static HttpRequestMessage CopyOf(HttpRequestMessage request)
    {
        var copy = new HttpRequestMessage { Version = request.Version, VersionPolicy = request.VersionPolicy };
        foreach (var (key, value) in request.Options)
            ((IDictionary<string, object?>)copy.Options)[key] = value;
        // Fields that are counted only are nowhere else.
        foreach (var (name, values) in request.Headers.NonValidated)
            copy.Headers.TryAddWithoutValidation(name, values);
        return copy;
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
        if (AreSame(headers.NonValidated, original))
            return;

        string[] added = [.. headers.NonValidated.Select(h => h.Key).Except(original.Select(h => h.Key), StringComparer.OrdinalIgnoreCase)];
        foreach (string name in added)
            headers.Remove(name);

        foreach (var (name, values) in original)
        {
            if (headers.NonValidated.TryGetValues(name, out var now) && AreSame(now, values))
                continue;
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, values);
        }
    }
    private static bool AreSame(HttpHeadersNonValidated headers, KeyValuePair<string, HeaderStringValues>[] original)
    {
        if (headers.Count != original.Length)
            return false;
        int i = 0;
        foreach (var (name, values) in headers)
        {
            var (originalName, originalValues) = original[i++];
            if (name != originalName || !AreSame(values, originalValues))
                return false;
        }

        return true;
    }

    private static bool AreSame(HeaderStringValues values, HeaderStringValues original)
    {
        if (values.Count != original.Count)
            return false;
        using var others = original.GetEnumerator();
        foreach (string value in values)
        {
            others.MoveNext();
            if (value != others.Current)
                return false;
        }

        return true;
    }
}
