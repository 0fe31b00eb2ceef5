namespace HttpResilience;

/// <summary>The cache key of a read: from the request as it entered the chain, and as it was sent.</summary>
internal sealed class FallbackCacheKey
{
    private readonly FallbackPolicy _policy;
    private readonly HttpCall _call;
    private readonly RequestSnapshot _given;
    private readonly WireRequestCapture _sent = new();

    internal FallbackCacheKey(FallbackPolicy policy, HttpRequestMessage request, HttpCall call)
    {
        (_policy, _call, _given) = (policy, call, new(request));
        Resource = RequestFields.ResourceOf(request.RequestUri!);
        Asked = CacheControlOf(request);
        request.Options.Set(WireRequestCapture.Key, _sent);
        call.IsCaptured = true;
    }

    internal string Resource { get; }

    internal CacheControl Asked { get; }

    internal HttpMethod Method => _given.Method;

    /// <summary>The timestamp of the last send.</summary>
    internal long SentAt => _sent.SentAt is not 0 and var at ? at : _call.StartedAt;

    /// <summary>The variant of the cached response, from the request as it was sent; null when nothing was sent.</summary>
    internal string? VariantAsSent() => _policy.CredentialsAreShared ? VariantAsGiven() : _sent.HashFor(_call.Tenant);

    internal string VariantAsGiven()
    {
        var fields = new RequestFields();
        fields.Add(_given.Method, _given.Uri, _given.Headers);
        return fields.HashFor(_call.Tenant);
    }

    /// <summary>Whether the request has neither a body nor a range or a condition; only such requests are cached.</summary>
    internal static bool IsPlain(HttpRequestMessage request)
    {
        if (request.Content is not null)
            return false;
        foreach (var (name, _) in request.Headers.NonValidated)
        {
            if (FallbackRules.IsConditional(name))
                return false;
        }

        return true;
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
