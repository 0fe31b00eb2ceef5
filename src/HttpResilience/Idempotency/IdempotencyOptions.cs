namespace HttpResilience;

/// <summary>
/// How calls that are not idempotent by their method are made safe to repeat (IETF draft "The Idempotency-Key HTTP Header Field"). Section <c>Idempotency</c>.
/// Not every API honours the header, and nothing on the wire says so: read the documentation of the API, and switch this off where it does not.
/// </summary>
public sealed class IdempotencyOptions
{
    /// <summary>Whether calls get a key. Default true. Off, a POST is repeated only when it was not sent or not processed.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The request header that carries the key; an HTTP field name of a request, not of its body. Default <c>Idempotency-Key</c>.</summary>
    public string HeaderName { get; set; } = "Idempotency-Key";

    /// <summary>The methods whose calls get a key. Default POST and PATCH. Configuration replaces the list as a whole.</summary>
    public IList<string> Methods { get; set; } = ["POST", "PATCH"];

    /// <summary>What a key is made from when the caller gives none. Default <see cref="KeySource.Random"/>; read about <see cref="KeySource.Content"/> before you choose it.</summary>
    public KeySource KeySource { get; set; } = KeySource.Random;

    /// <summary>Whether the key is sent in double quotes, the structured-field form of the draft (RFC 8941 §3.3.3). Default false.</summary>
    public bool Quoted { get; set; }

    /// <summary>
    /// How long the API remembers a key, counted from the start of the call. A request that may have been processed is not sent again under its key once this
    /// time is over: the API would take it for a new one. Null (as long as need be), or 1 s to 365 days; default 1 day, the usual time. Read the documentation of the API.
    /// </summary>
    public TimeSpan? KeyLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// For how long the response to a keyed call is remembered, so that the same call with the same key gets it again and nothing is sent, even from another
    /// process and after a crash. For keys that mean something: the caller's own, and those made from <see cref="KeySource.Content"/>. Needs durable storage
    /// (<c>AddHttpResilienceStorage</c>). Null (not at all), or 1 s to 365 days; default null.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Remembered is what settles a call: 2xx, and 4xx that it makes no sense to repeat, other than 401, 403, 407, 408, 409, 425 and 429; with its header
    /// fields but for cookies and secrets, and with its body up to 1 MiB. Of two calls at once the second waits for the first. The same key with another
    /// method, URI, tenant or body throws <see cref="IdempotencyKeyReusedException"/>.
    /// </para>
    /// <para>
    /// Whoever asks with the same key gets the response: calls of different users that may look alike need a tenant (<c>WithTenant</c>), which is part of what is compared,
    /// or keys of their own. A body that can be read only once and does not fit into <c>Retry:MaxReplayBodyBytes</c> cannot be compared: such a call is not remembered,
    /// and a Warning says so. A response is read whole before the caller gets it, for at most 30 s; a stream of events (<c>text/event-stream</c>) is not.
    /// The clocks of machines that share a store must agree to within 10 s.
    /// </para>
    /// <para>
    /// What ended without telling, because the program was killed, the connection broke, or the response was longer than that, leaves the key in doubt: the
    /// next call with it is sent under the same key where the API honours keys (<c>Retry:UnsafeMethods</c>) and has not forgotten it
    /// (<see cref="KeyLifetime"/>); else the <see cref="IReconciler"/> is asked; without one the call throws <see cref="IdempotencyKeyInDoubtException"/>.
    /// </para>
    /// </remarks>
    public TimeSpan? RememberFor { get; set; }

    internal static OptionKeys<IdempotencyOptions> Keys => new OptionKeys<IdempotencyOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .RequestHeader(nameof(HeaderName), o => o.HeaderName, (o, v) => o.HeaderName = v)
        .Tokens(nameof(Methods), o => o.Methods, (o, v) => o.Methods = v)
        .Choice(nameof(KeySource), o => o.KeySource, (o, v) => o.KeySource = v)
        .Boolean(nameof(Quoted), o => o.Quoted, (o, v) => o.Quoted = v)
        .OptionalDuration(nameof(KeyLifetime), o => o.KeyLifetime, (o, v) => o.KeyLifetime = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365))
        .OptionalDuration(nameof(RememberFor), o => o.RememberFor, (o, v) => o.RememberFor = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365));
}
