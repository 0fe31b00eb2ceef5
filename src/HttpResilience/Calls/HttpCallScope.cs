namespace HttpResilience;

/// <summary>
/// Applies settings to every call made inside it, for typed clients that never see the <see cref="HttpRequestMessage"/>
/// (<c>GetFromJsonAsync</c>, Refit). Flows with async calls. Scopes nest; the settings of the inner scope override those of the outer one.
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
    private readonly Action<HttpCall, HttpMethod, CallObservers?>? _onCall;
    private KeyUse? _firstUse;

    private HttpCallScope(HttpCallScope? outer, HttpCallScopeOptions own, Action<HttpCall, HttpMethod, CallObservers?>? onCall)
    {
        _outer = outer;
        _own = own;
        _onCall = onCall;
        _merged = outer is null ? own : HttpCallScopeOptions.Merge(outer._merged, own)!;
    }

    internal static HttpCallScopeOptions? Current => Ambient.Value?._merged;

    /// <summary>Begins a scope; disposing the returned object ends it.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The idempotency key is not valid in a header.</exception>
    public static HttpCallScope Begin(HttpCallScopeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Begin(options, onCall: null);
    }

    /// <inheritdoc cref="Begin(HttpCallScopeOptions)"/>
    /// <param name="options">The settings of the calls.</param>
    /// <param name="onCall">Called for each call that starts inside the scope.</param>
    internal static HttpCallScope Begin(HttpCallScopeOptions options, Action<HttpCall, HttpMethod, CallObservers?>? onCall)
    {
        if (options.IdempotencyKey is { } key)
            IdempotencyKey.Validate(key);

        return Ambient.Value = new HttpCallScope(Ambient.Value, options, onCall);
    }

    /// <summary>Notifies the scopes of a call that starts.</summary>
    /// <returns>Whether a scope collects its calls.</returns>
    internal static bool Notify(HttpCall call, HttpMethod method, CallObservers? observers)
    {
        bool isCollected = false;
        for (var scope = Ambient.Value; scope is not null; scope = scope._outer)
        {
            scope._onCall?.Invoke(call, method, observers);
            isCollected |= scope._onCall is not null;
        }

        return isCollected;
    }

    /// <summary>
    /// The first request made under the key in the outermost scope that has this key; <paramref name="request"/> itself when it is the
    /// first.
    /// </summary>
    internal static T FirstUnder<T>(string key, T request)
        where T : class
    {
        var owner = Ambient.Value;
        for (var scope = owner; scope is not null; scope = scope._outer)
        {
            if (scope._own.IdempotencyKey == key)
                owner = scope;
        }

        var first = owner is null ? null : Interlocked.CompareExchange(ref owner._firstUse, new(key, request), null);
        return first is not null && first.Key == key ? (T)first.Request : request;
    }

    /// <summary>Ends the scope: the settings of the outer scope apply again.</summary>
    public void Dispose() => Ambient.Value = _outer;

    private sealed record KeyUse(string Key, object Request);
}
