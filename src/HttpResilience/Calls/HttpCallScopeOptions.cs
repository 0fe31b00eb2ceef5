namespace HttpResilience;

/// <summary>The settings of the calls inside a <see cref="HttpCallScope"/>.</summary>
public sealed class HttpCallScopeOptions
{
    internal static readonly HttpRequestOptionsKey<HttpCallScopeOptions> Key = new("HttpResilience.HttpCallScopeOptions");

    /// <summary>
    /// The idempotency key of the one unsafe call (<c>Idempotency:Methods</c>) made inside the scope; visible ASCII, 1 to 255 characters.
    /// Default: null, the chain creates a key per call. An invalid key throws <see cref="ArgumentException"/> before the call is sent. The
    /// same call may be made again; a different method, URI or body under the key throws <see cref="IdempotencyKeyReusedException"/> before
    /// it is sent. A body that can be read only once is compared when it is buffered (<c>Retry:MaxReplayBodyBytes</c>).
    /// </summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>The application's own customer on whose behalf the calls are made. Default: null.</summary>
    public string? Tenant { get; set; }

    /// <summary>Overrides <c>Retry:MaxRetryAttempts</c>; 0 or more. Default: null, the configured value applies.</summary>
    public int? MaxRetryAttempts { get; set; }

    /// <summary>Properties for the log event, such as <c>rowNumber</c>. A tag <c>url.template</c> replaces the path there.</summary>
    public IDictionary<string, object?> Tags { get; } = new Dictionary<string, object?>(StringComparer.Ordinal);

    /// <summary>The settings of <paramref name="inner"/>, and those of <paramref name="outer"/> where it has none.</summary>
    internal static HttpCallScopeOptions? Merge(HttpCallScopeOptions? outer, HttpCallScopeOptions? inner)
    {
        if (outer is null || inner is null)
            return inner ?? outer;

        var merged = new HttpCallScopeOptions
        {
            IdempotencyKey = inner.IdempotencyKey ?? outer.IdempotencyKey,
            Tenant = inner.Tenant ?? outer.Tenant,
            MaxRetryAttempts = inner.MaxRetryAttempts ?? outer.MaxRetryAttempts,
        };
        foreach (var (name, value) in outer.Tags)
            merged.Tags[name] = value;
        foreach (var (name, value) in inner.Tags)
            merged.Tags[name] = value;
        return merged;
    }
}
