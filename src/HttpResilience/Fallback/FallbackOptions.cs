namespace HttpResilience;

/// <summary>
/// Whether a failed read is answered with the last good response, marked stale (<see cref="HttpCall.IsStale"/>, field <c>Age</c>).
/// Section <c>Fallback</c>. Responses to GET and HEAD that a private cache may store (RFC 9111 §3) are cached, with bodies up to 1 MiB.
/// They are used after a 5xx or 429, a timeout, a network failure, and while the circuit is open or the host has asked for a pause (RFC
/// 5861 §4). With <c>AddHttpResilienceStorage</c> they survive a restart. A successful unsafe call invalidates the cached responses of its
/// URI (RFC 9111 §4.4).
/// </summary>
/// <remarks>
/// A response answers only a request with the same method, URI, tenant and header fields as sent, credentials included, except fields that
/// number or trace messages: no user gets the response of another. Responses with <c>no-store</c>, <c>no-cache</c>, <c>must-revalidate</c>
/// or <c>Vary: *</c> are not cached; a <c>stale-if-error</c> of the response or the request shortens <see cref="StaleIfError"/>.
/// </remarks>
public sealed class FallbackOptions
{
    /// <summary>Whether failed reads are answered from the cache. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// How long a response may be used after its freshness (<c>max-age</c>, <c>Expires</c>; else none) has ended. 1 s to 365 days; default
    /// 1 day.
    /// </summary>
    public TimeSpan StaleIfError { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// The size of the client's cache in memory, and again in the durable store; the least recently used response is evicted first. No body
    /// longer than a quarter of this is cached. 65536 to 2147483647 bytes; default 67108864 (64 MiB).
    /// </summary>
    public int MaxBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// Whether handlers inside the chain treat the requests of all callers alike: they add credentials of the application (an API key, a
    /// token of the client credentials grant; it may rotate), not of a user. The cache key is then taken from the request as it enters the
    /// chain. Otherwise it includes the fields that such handlers add: there is no cached answer while the circuit is open, as they do not
    /// run, nor after a token has changed. Default false, which is safe for all handlers.
    /// </summary>
    public bool CredentialsAreShared { get; set; }

    internal static OptionKeys<FallbackOptions> Keys => new OptionKeys<FallbackOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .Duration(nameof(StaleIfError), o => o.StaleIfError, (o, v) => o.StaleIfError = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365))
        .Integer(nameof(MaxBytes), o => o.MaxBytes, (o, v) => o.MaxBytes = v, 65536, int.MaxValue)
        .Boolean(nameof(CredentialsAreShared), o => o.CredentialsAreShared, (o, v) => o.CredentialsAreShared = v);
}
