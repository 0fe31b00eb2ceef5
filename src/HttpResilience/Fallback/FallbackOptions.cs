namespace HttpResilience;

/// <summary>
/// Whether a read that the API cannot answer just now is answered with the last good response, marked stale (<see cref="HttpCall.IsStale"/>, field <c>Age</c>).
/// Section <c>Fallback</c>. Kept are responses to GET and HEAD that RFC 9111 §3 lets a private cache keep, with bodies up to 1 MiB; they are used after
/// a 5xx or 429, a timeout, a network failure, and while the circuit is open or the host has asked for a pause (RFC 5861 §4). With <c>AddHttpResilienceStorage</c> they
/// outlive the process. An unsafe call that succeeds makes what is kept of its URI useless, and it is dropped (RFC 9111 §4.4).
/// </summary>
/// <remarks>
/// A response answers only a request that is the same in method, URI, tenant and every header field, credentials among them, as it was sent, other than those
/// that number or trace messages: what one user was told, no other is. Responses with <c>no-store</c>, <c>no-cache</c>, <c>must-revalidate</c> or <c>Vary: *</c> are
/// not kept; a <c>stale-if-error</c> of the response or the request shortens <see cref="StaleIfError"/>.
/// </remarks>
public sealed class FallbackOptions
{
    /// <summary>Whether it is done. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>For how long beyond its freshness (<c>max-age</c>, <c>Expires</c>; else none) a response may be used. 1 s to 365 days; default 1 day.</summary>
    public TimeSpan StaleIfError { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How much is kept for the client, in memory, and once more in the durable store: what was not asked for longest goes first. No body longer than a quarter of this is kept.
    /// 65536 to 2147483647 bytes; default 67108864 (64 MiB).
    /// </summary>
    public int MaxBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// Whether handlers inside the chain do the same to the requests of all callers: they add the application's own credentials (an API key, a token of the client
    /// credentials grant; it may rotate), not those of a user. Only what is on a request when it enters the chain tells users apart then. Without this, what
    /// such handlers add does too: while the circuit is open nobody knows what they would add, and there is no answer; after a token has changed, neither.
    /// Default false: safe, whatever those handlers do.
    /// </summary>
    public bool CredentialsAreShared { get; set; }

    internal static OptionKeys<FallbackOptions> Keys => new OptionKeys<FallbackOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .Duration(nameof(StaleIfError), o => o.StaleIfError, (o, v) => o.StaleIfError = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365))
        .Integer(nameof(MaxBytes), o => o.MaxBytes, (o, v) => o.MaxBytes = v, 65536, int.MaxValue)
        .Boolean(nameof(CredentialsAreShared), o => o.CredentialsAreShared, (o, v) => o.CredentialsAreShared = v);
}
