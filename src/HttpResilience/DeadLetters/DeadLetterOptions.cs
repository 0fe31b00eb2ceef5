namespace HttpResilience;

/// <summary>
/// Whether finally failed requests are stored durably as dead letters. Section <c>DeadLetter</c>. Needs <c>AddHttpResilienceStorage</c>;
/// <c>AddDeadLetterReplay</c> sends them again.
/// </summary>
public sealed class DeadLetterOptions
{
    /// <summary>Whether they are stored. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>The number of automatic replays before a letter requires review. 0 or more; default 10.</summary>
    public int MaxReplays { get; set; } = 10;

    /// <summary>
    /// The longest body that is stored; a letter with a longer one is stored without it and requires review. 0 to 2147483647 bytes; default
    /// 1048576 (1 MiB).
    /// </summary>
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The methods of stored calls. Default POST, PUT, PATCH and DELETE. Configuration replaces the whole list.</summary>
    public IList<string> Methods { get; set; } = ["POST", "PUT", "PATCH", "DELETE"];

    /// <summary>
    /// Destinations besides the authority of the client's <c>BaseAddress</c>: scheme, host and port, as <c>https://api.example.com</c>. A
    /// letter to any other destination requires review: a manipulated row must not send credentials elsewhere. Default: none.
    /// </summary>
    public IList<string> AllowedAuthorities { get; set; } = [];

    /// <summary>
    /// Whether a call that was cancelled, by its caller or by another token than its deadline's, has a letter. Such a letter requires
    /// review: the request may have been processed. Default <see cref="CancelledCalls.WhenSent"/>.
    /// </summary>
    public CancelledCalls KeepCancelled { get; set; } = CancelledCalls.WhenSent;

    /// <summary>
    /// Whether the body, the header fields and the query of a letter are encrypted in the store, whichever it is; they are read in clear
    /// again by replays and by the review. Needs an <see cref="ILetterProtector"/>, such as that of the package
    /// HttpResilience.DataProtection. Letters that exist stay as they are. Default false.
    /// </summary>
    public bool Protect { get; set; }

    /// <summary>
    /// The time after which settled letters (replayed, resolved, resubmitted) are deleted; letters that wait or require review never are.
    /// Null keeps them for ever. 1 minute to 3650 days. Default 30 days; in a store that an older version created, null unless it is set.
    /// </summary>
    public TimeSpan? Retention
    {
        get;
        set => (field, RetentionIsSet) = (value, true);
    } = TimeSpan.FromDays(30);

    /// <summary>Whether <see cref="Retention"/> was set, if to its default.</summary>
    internal bool RetentionIsSet { get; set; }

    /// <summary>
    /// Header fields that carry secrets, in addition to those that the library knows by the words of their names (auth, key, token,
    /// session, signature, …). A secret field is neither stored nor logged; a letter lists it, and is replayed only when a handler of the
    /// client or <c>ConfigureHttpClient</c> adds it again. A name with a leading <c>!</c> is not secret: <c>!X-Sort-Token</c>. Default
    /// none.
    /// </summary>
    public IList<string> SecretHeaders { get; set; } = [];

    /// <summary>
    /// Query parameters that carry secrets, in addition to those that the library knows (<c>sig</c>, <c>api_key</c>, <c>access_token</c>,
    /// <c>code</c>, …), in the same way as <see cref="SecretHeaders"/>. Default none.
    /// </summary>
    public IList<string> SecretQueryParameters { get; set; } = [];

    internal static OptionKeys<DeadLetterOptions> Keys => new OptionKeys<DeadLetterOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .Integer(nameof(MaxReplays), o => o.MaxReplays, (o, v) => o.MaxReplays = v, 0, int.MaxValue)
        .Integer(nameof(MaxBodyBytes), o => o.MaxBodyBytes, (o, v) => o.MaxBodyBytes = v, 0, int.MaxValue)
        .Tokens(nameof(Methods), o => o.Methods, (o, v) => o.Methods = v)
        .Authorities(nameof(AllowedAuthorities), o => o.AllowedAuthorities, (o, v) => o.AllowedAuthorities = v)
        .Choice(nameof(KeepCancelled), o => o.KeepCancelled, (o, v) => o.KeepCancelled = v)
        .Boolean(nameof(Protect), o => o.Protect, (o, v) => o.Protect = v)
        .OptionalDuration(
            nameof(Retention), o => o.Retention, (o, v) => o.Retention = v, TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650))
        .Tokens(nameof(SecretHeaders), o => o.SecretHeaders, (o, v) => o.SecretHeaders = v)
        .Texts(nameof(SecretQueryParameters), o => o.SecretQueryParameters, (o, v) => o.SecretQueryParameters = v);

    /// <summary>Which cancelled calls have a letter.</summary>
    public enum CancelledCalls
    {
        /// <summary>Those that were on the wire: the server may have processed them.</summary>
        WhenSent,

        /// <summary>None.</summary>
        Never,
    }
}
