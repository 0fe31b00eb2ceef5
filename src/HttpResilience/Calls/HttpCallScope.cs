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
    private static readonly AsyncLocal<HttpCallScope?> Ambient = new();

    private readonly HttpCallScope? _outer;
    private readonly HttpCallScopeOptions _own;
    private readonly HttpCallScopeOptions _merged;
    private readonly CallCollector? _collector;
    private KeyUse? _firstUse;

    private HttpCallScope(HttpCallScope? outer, HttpCallScopeOptions own, CallCollector? collector)
    {
        _outer = outer;
        _own = own;
        _collector = collector;
        _merged = outer is null ? own : HttpCallScopeOptions.Merge(outer._merged, own)!;
    }

    internal static HttpCallScopeOptions? Current => Ambient.Value?._merged;

    /// <summary>Begins a scope; disposing what it returns ends it.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The key is not one that a header can carry.</exception>
    public static HttpCallScope Begin(HttpCallScopeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.IdempotencyKey is { } key)
            IdempotencyKey.Validate(key);

        return Ambient.Value = new HttpCallScope(Ambient.Value, options, collector: null);
    }

    /// <inheritdoc cref="Begin(HttpCallScopeOptions)"/>
    /// <param name="options">What is said about the calls.</param>
    /// <param name="collector">Hears of each call that is made inside.</param>
    internal static HttpCallScope Begin(HttpCallScopeOptions options, CallCollector collector)
    {
        if (options.IdempotencyKey is { } key)
            IdempotencyKey.Validate(key);

        return Ambient.Value = new HttpCallScope(Ambient.Value, options, collector);
    }

    /// <summary>Tells whoever listens of a call that begins.</summary>
    /// <returns>False when nobody does.</returns>
    internal static bool Notify(HttpCall call, HttpMethod method, CallObservers? observers)
    {
        bool isHeard = false;
        for (var scope = Ambient.Value; scope is not null; scope = scope._outer)
        {
            scope._collector?.Add(call, method, observers);
            isHeard |= scope._collector is not null;
        }

        return isHeard;
    }

    /// <summary>
    /// The first request that was made under the key in the outermost scope that gives it; that is <paramref name="request"/> itself when there was none.
    /// </summary>
    internal static RequestFingerprint FirstUnder(string key, RequestFingerprint request)
    {
        var giver = Ambient.Value;
        for (var scope = giver; scope is not null; scope = scope._outer)
        {
            if (scope._own.IdempotencyKey == key)
                giver = scope;
        }

        var first = giver is null ? null : Interlocked.CompareExchange(ref giver._firstUse, new(key, request), null);
        return first is not null && first.Key == key ? first.Request : request;
    }

    /// <summary>Ends the scope: what the outer one said holds again.</summary>
    public void Dispose() => Ambient.Value = _outer;

    private sealed record KeyUse(string Key, RequestFingerprint Request);
}
