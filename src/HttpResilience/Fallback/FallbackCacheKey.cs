namespace HttpResilience;

/// <summary>The cache key of a read: from the request as it entered the chain, and as it was sent.</summary>
internal sealed class FallbackCacheKey
{
    private readonly FallbackPolicy _policy;
    private readonly HttpCall _call;
    private readonly RequestSnapshot _given;
    private readonly WireRequestCapture _sent;
    private string? _body;

    /// <param name="outer">The handler that sends the request on; service discovery inside it may choose the endpoint.</param>
    internal FallbackCacheKey(FallbackPolicy policy, HttpRequestMessage request, HttpCall call, DelegatingHandler outer)
    {
        var asked = request.RequestUri!;
        _sent = ServiceDiscovery.IsInside(outer) ? new(sent => new(asked, sent.PathAndQuery), request.Headers.Host is not null)
            : call.Policy.Endpoints is not null ? new(call.AskedFor) : new();
        (_policy, _call, _given) = (policy, call, new(request));
        Resource = RequestFields.ResourceOf(asked);
        Asked = CacheControlOf(request);
        request.Options.Set(WireRequestCapture.Key, _sent);
        call.IsCaptured = true;
    }

    internal string Resource { get; }

    internal CacheControl Asked { get; }

    internal HttpMethod Method => _given.Method;

    /// <summary>The timestamp of the last send.</summary>
    internal long SentAt => _sent.SentAt is not 0 and var at ? at : _call.StartedAt;

    /// <summary>Adds the body of a request whose responses depend on it.</summary>
    /// <returns>False when it can be written only once and is too long: the response is not cached.</returns>
    internal async ValueTask<bool> ReadBodyAsync(Client client, HttpRequestMessage request, bool async, CancellationToken cancellationToken)
    {
        if (request.Content is not { } content)
            return true;

        var body = await IdempotencyKeyHandler.DigestAsync(client, content, _call, async, cancellationToken).ConfigureAwait(false);
        if (body is null)
            return false;
        var fields = new RequestFields();
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            if (!RequestFields.IsOfOneMessage(name))
                fields.AddField(name, values.ToString());
        }

        fields.AddField("body", Convert.ToHexStringLower(body));
        _body = fields.HashFor(_call.Tenant);
        return true;
    }

    /// <summary>The variant of the cached response, from the request as it was sent; null when nothing was sent.</summary>
    internal string? VariantAsSent() => _policy.CredentialsAreShared ? VariantAsGiven()
        : _sent.HashFor(_call.Tenant) is { } sent ? WithBody(sent) : null;

    internal string VariantAsGiven()
    {
        var fields = new RequestFields();
        fields.Add(_given.Method, _given.Uri, _given.Headers);
        return WithBody(fields.HashFor(_call.Tenant));
    }

    /// <summary>
    /// Whether the responses to the method are cached and the request has neither a range or a condition nor a body that is no part of the
    /// key.
    /// </summary>
    internal static bool AppliesTo(HttpRequestMessage request)
    {
        if (!request.Method.IsCacheable || (request.Content is not null && !request.Method.IsCachedByBody))
            return false;
        foreach (var (name, _) in request.Headers.NonValidated)
        {
            if (FallbackRules.IsConditional(name))
                return false;
        }

        return true;
    }

    private string WithBody(string request)
    {
        if (_body is null)
            return request;
        var fields = new RequestFields();
        fields.AddField("request", request);
        fields.AddField("body", _body);
        return fields.HashFor(_call.Tenant);
    }

    private static CacheControl CacheControlOf(HttpRequestMessage request)
    {
        var headers = request.Headers.NonValidated;
        if (headers.TryGetValues("Cache-Control", out var values))
            return CacheControl.Parse(values);
        // RFC 9111 §5.4.
        return headers.TryGetValues("Pragma", out var pragma) ? CacheControl.Parse(pragma) : default;
    }
}
