namespace HttpResilience;

/// <summary>
/// Says something about every call made inside it, for typed clients that never see the <see cref="HttpRequestMessage"/>
/// (<c>GetFromJsonAsync</c>, Refit). Flows with async calls; scopes nest, the inner one wins.
/// </summary>
/// <example><code>
/// using (HttpCallScope.Begin(new HttpCallScopeOptions { Tenant = "comp1", Tags = { ["rowNumber"] = 5 } }))
///     await client.SendAsync(invoice, cancellationToken);
/// </code></example>
public sealed class HttpCallScope : IDisposable
{
    private static readonly AsyncLocal<HttpCallScopeOptions?> Ambient = new();
    private readonly HttpCallScopeOptions? _outer;

    private HttpCallScope(HttpCallScopeOptions? outer) => _outer = outer;

    internal static HttpCallScopeOptions? Current => Ambient.Value;

    /// <summary>Begins a scope; disposing what it returns ends it.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The key is not one that a header can carry.</exception>
    public static HttpCallScope Begin(HttpCallScopeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.IdempotencyKey is { } key)
            IdempotencyKey.Validate(key);

        var scope = new HttpCallScope(Ambient.Value);
        Ambient.Value = HttpCallScopeOptions.Merge(scope._outer, options);
        return scope;
    }

    /// <summary>Ends the scope: what the outer one said holds again.</summary>
    public void Dispose() => Ambient.Value = _outer;
}
