namespace HttpResilience;

/// <summary>
/// Idempotency keys make calls with other than idempotent methods safe to repeat (IETF draft "The Idempotency-Key HTTP Header Field").
/// Section <c>Idempotency</c>. Not every API honours the header, and responses do not show it: read the documentation of the API, and
/// disable the keys if it does not.
/// </summary>
public sealed class IdempotencyOptions
{
    /// <summary>Whether calls get a key. Default true. When off, a POST is retried only if it surely was not processed.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// The request header that carries the key; an HTTP field name of a request, not of its body. Default <c>Idempotency-Key</c>.
    /// </summary>
    public string HeaderName { get; set; } = "Idempotency-Key";

    /// <summary>The methods whose calls get a key. Default POST and PATCH. Configuration replaces the whole list.</summary>
    public IList<string> Methods { get; set; } = ["POST", "PATCH"];

    /// <summary>
    /// The source of a key when the caller gives none. Default <see cref="KeySource.Random"/>; read the documentation of
    /// <see cref="KeySource.Content"/> before you choose it.
    /// </summary>
    public KeySource KeySource { get; set; } = KeySource.Random;

    /// <summary>
    /// Whether the key is sent in double quotes, the structured-field form of the draft (RFC 8941 §3.3.3). Default false.
    /// </summary>
    public bool Quoted { get; set; }

    /// <summary>
    /// How long the API remembers a key, from the start of the call. After this time a request that may have been processed is not sent
    /// again under its key: the API would process it as a new one. Null (forever), or 1 s to 365 days; default 1 day, the usual time. Read
    /// the documentation of the API.
    /// </summary>
    public TimeSpan? KeyLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How long the response to a keyed call is stored. The same call with the same key then gets the stored response and nothing is sent,
    /// even from another process and after a crash. Applies to keys of the caller and keys made from <see cref="KeySource.Content"/>. Needs
    /// durable storage (<c>AddHttpResilienceStorage</c>). Null (not stored), or 1 s to 365 days; default null.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Conclusive responses are stored: 2xx, and 4xx that are not worth a retry, other than 401, 403, 407, 408, 409, 425 and 429; with
    /// their header fields except cookies and secrets, and with bodies up to 1 MiB. Of two concurrent calls the second waits for the first.
    /// The same key with another method, URI, tenant or body throws <see cref="IdempotencyKeyReusedException"/>.
    /// </para>
    /// <para>
    /// Every caller with the same key gets the response: equal calls of different users need a tenant (<c>WithTenant</c>), which is part of
    /// the comparison, or separate keys. A body that can be read only once and exceeds <c>Retry:MaxReplayBodyBytes</c> cannot be compared:
    /// such a call is not stored, and a Warning is logged. A response is buffered before the caller gets it, for at most 30 s; a stream of
    /// events (<c>text/event-stream</c>) is not. The clocks of machines that share a store must agree to within 10 s.
    /// </para>
    /// <para>
    /// A call with an unknown outcome (the process crashed, the connection broke, or the response was too long) leaves the key in doubt.
    /// The next call with it is sent under the same key if the API honours keys (<c>Retry:UnsafeMethods</c>) and still remembers it
    /// (<see cref="KeyLifetime"/>); else the <see cref="IReconciler"/> decides; without one the call throws
    /// <see cref="IdempotencyKeyInDoubtException"/>.
    /// </para>
    /// </remarks>
    public TimeSpan? RememberFor { get; set; }

    internal static OptionKeys<IdempotencyOptions> Keys => new OptionKeys<IdempotencyOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .RequestHeader(nameof(HeaderName), o => o.HeaderName, (o, v) => o.HeaderName = v)
        .Tokens(nameof(Methods), o => o.Methods, (o, v) => o.Methods = v)
        .Choice(nameof(KeySource), o => o.KeySource, (o, v) => o.KeySource = v)
        .Boolean(nameof(Quoted), o => o.Quoted, (o, v) => o.Quoted = v)
        .OptionalDuration(
            nameof(KeyLifetime), o => o.KeyLifetime, (o, v) => o.KeyLifetime = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365))
        .OptionalDuration(
            nameof(RememberFor), o => o.RememberFor, (o, v) => o.RememberFor = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365));
}
