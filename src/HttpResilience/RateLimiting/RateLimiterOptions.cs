using System.Threading.RateLimiting;

namespace HttpResilience;

/// <summary>
/// How many attempts may go to one host: at once, and in a time. Section <c>RateLimiter</c>; absent, the stage is off. Each limit is kept
/// per scheme, host and port, and is off when its section is absent. With both, an attempt takes a token first, then a place.
/// </summary>
public sealed class RateLimiterOptions
{
    /// <summary>How many attempts may be on their way at once. Default null: any number.</summary>
    public ConcurrencyLimitOptions? DefaultRateLimiterOptions { get; set; }

    /// <summary>How many attempts may be sent in a time. Default null: any number.</summary>
    public TokenBucketOptions? TokenBucket { get; set; }

    /// <summary>
    /// Whether the limits act, or only report what they would do. Default <see cref="LimitMode.Enforce"/>.
    /// </summary>
    public LimitMode Mode { get; set; } = LimitMode.Enforce;

    internal static OptionKeys<RateLimiterOptions> Keys => new OptionKeys<RateLimiterOptions>()
        .OptionalSection(nameof(DefaultRateLimiterOptions), o => o.DefaultRateLimiterOptions,
            o => o.DefaultRateLimiterOptions ??= new(), o => o.DefaultRateLimiterOptions = null, ConcurrencyLimitOptions.Keys)
        .OptionalSection(
            nameof(TokenBucket), o => o.TokenBucket, o => o.TokenBucket ??= new(), o => o.TokenBucket = null, TokenBucketOptions.Keys)
        .Choice(nameof(Mode), o => o.Mode, (o, v) => o.Mode = v)
        .Ignored("Name");
}

/// <summary>A limit of concurrent attempts. Section <c>RateLimiter:DefaultRateLimiterOptions</c>.</summary>
public sealed class ConcurrencyLimitOptions
{
    /// <summary>How many attempts may run at once. 1 or more; default 1000.</summary>
    public int PermitLimit { get; set; } = 1000;

    /// <summary>
    /// How many attempts may wait for a place; more fail at once with <see cref="RateLimitedException"/>, and so does one whose time is
    /// over before its turn comes. 0 or more; default 0.
    /// </summary>
    public int QueueLimit { get; set; }

    /// <summary>The order in which waiting attempts are released. Default <see cref="QueueProcessingOrder.OldestFirst"/>.</summary>
    public QueueProcessingOrder QueueProcessingOrder { get; set; } = QueueProcessingOrder.OldestFirst;

    internal static OptionKeys<ConcurrencyLimitOptions> Keys => new OptionKeys<ConcurrencyLimitOptions>()
        .Integer(nameof(PermitLimit), o => o.PermitLimit, (o, v) => o.PermitLimit = v, 1, int.MaxValue)
        .Integer(nameof(QueueLimit), o => o.QueueLimit, (o, v) => o.QueueLimit = v, 0, int.MaxValue)
        .Choice(nameof(QueueProcessingOrder), o => o.QueueProcessingOrder, (o, v) => o.QueueProcessingOrder = v);
}
