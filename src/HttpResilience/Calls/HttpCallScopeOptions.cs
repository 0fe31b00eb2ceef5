namespace HttpResilience;

/// <summary>What the application says about the calls inside a <see cref="HttpCallScope"/>.</summary>
public sealed class HttpCallScopeOptions
{
    internal static readonly HttpRequestOptionsKey<HttpCallScopeOptions> Key = new("HttpResilience.HttpCallScopeOptions");

    /// <summary>
    /// The idempotency key of the one unsafe call (<c>Idempotency:Methods</c>) made inside the scope; visible ASCII, 1 to 255 characters. Default: none,
    /// the chain makes one for each call. A call with anything else throws <see cref="ArgumentException"/> before it is sent. The same call may be made again;
    /// another method, URI or body under the key throws <see cref="IdempotencyKeyReusedException"/> before it is sent. A body that can be read only once is
    /// compared when it is kept (<c>Retry:MaxReplayBodyBytes</c>).
    /// </summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>The application's own customer on whose behalf the calls are made. Default: none.</summary>
    public string? Tenant { get; set; }

    /// <summary>Overrides <c>Retry:MaxRetryAttempts</c>; 0 or more. Default: as configured.</summary>
    public int? MaxRetryAttempts { get; set; }

    /// <summary>Properties for the log event, such as <c>rowNumber</c>. A tag <c>url.template</c> replaces the path there.</summary>
    public IDictionary<string, object?> Tags { get; } = new Dictionary<string, object?>(StringComparer.Ordinal);

    /// <summary>What <paramref name="inner"/> says, and where it is silent what <paramref name="outer"/> says.</summary>
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
