namespace HttpResilience;

/// <summary>
/// Applies settings to every call made inside it, for typed clients that never see the <see cref="HttpRequestMessage"/>
/// (<c>GetFromJsonAsync</c>, Refit). Flows with async calls. Scopes nest; the settings of the inner scope override those of the outer one.
/// </summary>
/// <remarks>
/// A scope applies to the calls that the application makes in it. It does not apply to calls made during such a call (by a token handler
/// inside or outside the chain, an <see cref="IReconciler"/>, an <see cref="IConflictResolver"/>), to the replay of a dead letter, or to
/// calls that begin after its <see cref="Dispose"/>, such as those of a timer that was started inside it.
/// </remarks>
/// <example><code>
/// using (HttpCallScope.Begin(new HttpCallScopeOptions { Tenant = "comp1", Tags = { ["rowNumber"] = 5 } }))
///     await client.SendAsync(invoice, cancellationToken);
/// </code></example>
public sealed class HttpCallScope : IDisposable
{
    private static readonly AsyncLocal<HttpCallScope?> Ambient = new();
    private static readonly HttpRequestOptionsKey<HttpCallScope> Way = new("HttpResilience.HttpCallScope");

    private readonly HttpCallScope? _outer;
    private readonly HttpCallScopeOptions _own;
    private readonly HttpCallScopeOptions _merged;
    private readonly bool _isForAllClients;
    private readonly Action<HttpCall, HttpMethod, CallObservers?>? _onCall;
    private readonly string? _wayOf;
    private volatile bool _isEnded;
    private string? _clientOfKey;
    private object? _firstUse;

    private HttpCallScope(HttpCallScope? outer, HttpCallScopeOptions own, Action<HttpCall, HttpMethod, CallObservers?>? onCall)
    {
        _outer = outer;
        _own = own;
        _onCall = onCall;
        _isForAllClients = own.ClientName is null && outer is not { _isForAllClients: false };
        _merged = outer is null || !_isForAllClients ? own : HttpCallScopeOptions.Merge(outer._merged, own)!;
    }

    // Marks one request between HttpClient and the chain: the scopes outside the marker apply to that request only.
    private HttpCallScope(HttpCallScope outer, string wayOf)
        : this(outer, new() { ClientName = wayOf }, onCall: null) => _wayOf = wayOf;

    /// <summary>This flow has a scope, which may have ended.</summary>
    internal static bool IsInFlow => Ambient.Value is not null;

    /// <summary>The innermost scope of this flow that has not ended.</summary>
    internal static HttpCallScope? Current
    {
        get
        {
            var scope = Ambient.Value;
            while (scope is { _isEnded: true })
                scope = scope._outer;
            return scope;
        }
    }

    internal string? Key => _own.IdempotencyKey;

    // An outer scope may end before an inner one, as when work goes on that was started inside both.
    private bool HasEndedOuter
    {
        get
        {
            var scope = _outer;
            while (scope is { _isEnded: false })
                scope = scope._outer;
            return scope is not null;
        }
    }

    /// <summary>Begins a scope; disposing the returned object ends it.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// The idempotency key is not valid in a header, or the timeout of an attempt is longer than that of the call.
    /// </exception>
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
        options.ValidateTimeouts(nameof(options));

        return Ambient.Value = new HttpCallScope(Current, options, onCall);
    }

    /// <summary>Leaves all scopes for the rest of the calling method and what it calls, such as handlers that send requests.</summary>
    internal static void Suspend() => Ambient.Value = null;

    /// <summary>
    /// Limits the scopes of this flow to the request until it reaches the chain: handlers outside the chain may send other requests.
    /// </summary>
    /// <returns>The previous scope, which <see cref="Leave"/> restores.</returns>
    internal static HttpCallScope? Enter(HttpRequestMessage request, string clientName)
    {
        var before = Ambient.Value;
        if (Current is { } scope)
        {
            var way = new HttpCallScope(scope, clientName);
            request.Options.Set(Way, way);
            Ambient.Value = way;
        }

        return before;
    }

    internal static void Leave(HttpCallScope? before) => Ambient.Value = before;

    /// <summary>The innermost scope that a call starts in.</summary>
    internal static HttpCallScope? Around(in ScopedRequest request) => Visible(Ambient.Value, request);

    /// <summary>The settings of a call that starts here; null when no scope is for its client.</summary>
    internal HttpCallScopeOptions? SettingsFor(in ScopedRequest request)
    {
        if (_isForAllClients && !HasEndedOuter)
            return _merged;

        HttpCallScopeOptions? settings = null;
        for (var scope = this; scope is not null; scope = Visible(scope._outer, request))
        {
            if (request.IsOf(scope._own.ClientName))
                settings = HttpCallScopeOptions.Merge(scope._own, settings);
        }

        return settings;
    }

    /// <summary>Notifies the scopes of a call that starts.</summary>
    /// <returns>Whether a scope collects its calls.</returns>
    internal bool Notify(HttpCall call, in ScopedRequest request, CallObservers? observers)
    {
        bool isCollected = false;
        for (var scope = this; scope is not null; scope = Visible(scope._outer, request))
        {
            if (scope._onCall is not { } onCall)
                continue;
            onCall(call, request.Message.Method, observers);
            isCollected = true;
        }

        return isCollected;
    }

    /// <summary>The outermost scope that has the key for the request: the key is for one operation in it.</summary>
    internal HttpCallScope OwnerOf(string key, in ScopedRequest request)
    {
        var owner = this;
        for (var scope = this; scope is not null; scope = Visible(scope._outer, request))
        {
            if (scope._own.IdempotencyKey == key && request.IsOf(scope._own.ClientName))
                owner = scope;
        }

        return owner;
    }

    /// <summary>Whether the key is for calls of the client: the first client that uses it keeps it.</summary>
    internal bool BindKey(string clientName) => Interlocked.CompareExchange(ref _clientOfKey, clientName, null) is not { } first
        || first == clientName;

    /// <summary>The first request made under the key of this scope; <paramref name="request"/> itself when it is the first.</summary>
    internal T FirstUnderKey<T>(T request)
        where T : class => (T?)Interlocked.CompareExchange(ref _firstUse, request, null) ?? request;

    /// <summary>Ends the scope, in every flow: the settings of the outer scope apply again.</summary>
    public void Dispose()
    {
        _isEnded = true;
        Ambient.Value = Current;
    }

    // This scope, or the nearest outer scope that has not ended; scopes outside the marker of another request do not apply.
    private static HttpCallScope? Visible(HttpCallScope? scope, in ScopedRequest request)
    {
        for (; scope is { _isEnded: true } or { _wayOf: not null }; scope = scope._outer)
        {
            if (scope._wayOf is { } clientName && !IsOnWay(scope, clientName, request))
                return null;
        }

        return scope;
    }

    // A copy that a handler made may lack the options: then the client's name decides. Another client has another marker or name.
    private static bool IsOnWay(HttpCallScope way, string clientName, in ScopedRequest request) =>
        request.Message.Options.TryGetValue(Way, out var own) ? own == way : request.IsOf(clientName);
}

/// <summary>A request that starts a call, as scopes see it.</summary>
/// <param name="Message">The request.</param>
/// <param name="ClientName">The name of the settings of its client.</param>
/// <param name="HttpClientName">Its name in the factory.</param>
internal readonly record struct ScopedRequest(HttpRequestMessage Message, string ClientName, string HttpClientName)
{
    /// <param name="name">Either name of a client; null for all of them.</param>
    internal bool IsOf(string? name) => name is null || name == ClientName || name == HttpClientName;
}
