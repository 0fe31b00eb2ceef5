using System.Collections.ObjectModel;
using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>The settings of the calls inside a <see cref="HttpCallScope"/>.</summary>
public sealed class HttpCallScopeOptions
{
    internal static readonly HttpRequestOptionsKey<HttpCallScopeOptions> Key = new("HttpResilience.HttpCallScopeOptions");

    // Most calls have none.
    private Dictionary<string, object?>? _tags;

    /// <summary>
    /// The name of the client whose calls the scope is for, as registered in <see cref="IHttpClientFactory"/> or given by
    /// <c>AddResilience(name)</c>; a typed client that was registered without a name has that of its type. Default: null, the scope is for
    /// the calls of all clients. Set it when the application also calls other clients inside the scope: a login server must not get the key
    /// of an invoice.
    /// </summary>
    public string? ClientName { get; set; }

    /// <summary>
    /// The idempotency key of the one unsafe call (<c>Idempotency:Methods</c>) made inside the scope; visible ASCII, 1 to 255 characters.
    /// Default: null, the chain creates a key per call. An invalid key throws <see cref="ArgumentException"/> before the call is sent. The
    /// client that uses the key first keeps it: calls of other clients get keys of their own (<see cref="ClientName"/> says which client
    /// it is for). The same call may be made again; a different method, URI or body under the key throws
    /// <see cref="IdempotencyKeyReusedException"/> before it is sent. A body that can be read only once is compared when it is buffered
    /// (<c>Retry:MaxReplayBodyBytes</c>).
    /// </summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>The application's own customer on whose behalf the calls are made. Default: null.</summary>
    public string? Tenant { get; set; }

    /// <summary>Overrides <c>Retry:MaxRetryAttempts</c>; 0 or more. Default: null, the configured value applies.</summary>
    public int? MaxRetryAttempts { get; set; }

    /// <summary>
    /// How long each call may take, its attempts, waits and response body included; overrides <c>TotalRequestTimeout</c>. More than zero,
    /// and at most <see cref="HttpClient.Timeout"/>: a call that asks for more throws <see cref="ArgumentOutOfRangeException"/> before it
    /// is sent; set <c>MaxTimeout</c> to allow it. Default: null, the configured value applies.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public TimeSpan? Timeout
    {
        get;
        set => field = MoreThanZero(value);
    }

    /// <summary>
    /// How long one attempt of each call may take; overrides <c>AttemptTimeout</c>. More than zero, and not longer than
    /// <see cref="Timeout"/> of the same options; a shorter one from elsewhere ends the attempt silently. Default: null, the configured
    /// value applies.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public TimeSpan? AttemptTimeout
    {
        get;
        set => field = MoreThanZero(value);
    }

    /// <summary>Properties for the log event, such as <c>rowNumber</c>. A tag <c>url.template</c> replaces the path there.</summary>
    public IDictionary<string, object?> Tags => LazyInitializer.EnsureInitialized(ref _tags, static () => new(StringComparer.Ordinal));

    /// <summary>The tags for a reader, who does not make the dictionary.</summary>
    internal IReadOnlyDictionary<string, object?> CurrentTags =>
        Volatile.Read(ref _tags) is { } tags ? tags.AsReadOnly() : ReadOnlyDictionary<string, object?>.Empty;

    /// <summary>The settings of <paramref name="inner"/>, and those of <paramref name="outer"/> where it has none.</summary>
    internal static HttpCallScopeOptions? Merge(HttpCallScopeOptions? outer, HttpCallScopeOptions? inner)
    {
        if (outer is null || inner is null)
            return inner ?? outer;

        var merged = new HttpCallScopeOptions
        {
            ClientName = inner.ClientName ?? outer.ClientName,
            IdempotencyKey = inner.IdempotencyKey ?? outer.IdempotencyKey,
            Tenant = inner.Tenant ?? outer.Tenant,
            MaxRetryAttempts = inner.MaxRetryAttempts ?? outer.MaxRetryAttempts,
            Timeout = inner.Timeout ?? outer.Timeout,
            AttemptTimeout = inner.AttemptTimeout ?? outer.AttemptTimeout,
        };
        if (outer._tags is { } tags)
            merged._tags = new(tags, StringComparer.Ordinal);
        foreach (var (name, value) in inner.CurrentTags)
            merged.Tags[name] = value;
        return merged;
    }

    /// <summary>Of two timeouts that are given in one place, the longer one of an attempt would have no effect.</summary>
    /// <exception cref="ArgumentException"><see cref="AttemptTimeout"/> is longer than <see cref="Timeout"/>.</exception>
    internal void ValidateTimeouts(string parameter)
    {
        if (AttemptTimeout > Timeout)
        {
            throw new ArgumentException(
                $"The timeout of an attempt, {AttemptTimeout}, must not be longer than that of the call, {Timeout}. "
                + "Leave it out to have attempts end with the call.",
                parameter);
        }
    }

    private static TimeSpan? MoreThanZero(TimeSpan? timeout, [CallerArgumentExpression(nameof(timeout))] string? name = null)
    {
        if (timeout is { } value)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
        return timeout;
    }
}
