using System.Threading.RateLimiting;

namespace HttpResilience;

/// <summary>
/// A limit of attempts in a time. Section <c>RateLimiter:TokenBucket</c>, with the names of <see cref="TokenBucketRateLimiterOptions"/>.
/// Each attempt, a retry too, takes a token out of the bucket of its host; a bucket is full at first and is filled evenly, some tokens at a
/// time, ten times a second.
/// </summary>
public sealed class TokenBucketOptions
{
    /// <summary>
    /// How many tokens a bucket holds: so many attempts may be sent in one go after a rest. 1 or more; there is no default.
    /// </summary>
    public int TokenLimit { get; set; }

    /// <summary>How many tokens come back in each <see cref="ReplenishmentPeriod"/>. 1 or more; there is no default.</summary>
    public int TokensPerPeriod { get; set; }

    /// <summary>
    /// The time in which <see cref="TokensPerPeriod"/> come back. 1 ms to 1 day; default 1 s. By the clock of the machine, not by a <see
    /// cref="TimeProvider"/>.
    /// </summary>
    public TimeSpan ReplenishmentPeriod { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How many attempts may wait for a token; more fail at once with <see cref="RateLimitedException"/>, and so does one whose time is
    /// over before its turn comes. 0 or more; default 0.
    /// </summary>
    public int QueueLimit { get; set; }

    /// <summary>The order in which waiting attempts are released. Default <see cref="QueueProcessingOrder.OldestFirst"/>.</summary>
    public QueueProcessingOrder QueueProcessingOrder { get; set; } = QueueProcessingOrder.OldestFirst;

    internal static OptionKeys<TokenBucketOptions> Keys => new OptionKeys<TokenBucketOptions>()
        .Integer(nameof(TokenLimit), o => o.TokenLimit, (o, v) => o.TokenLimit = v, 1, int.MaxValue)
        .Integer(nameof(TokensPerPeriod), o => o.TokensPerPeriod, (o, v) => o.TokensPerPeriod = v, 1, int.MaxValue)
        .Duration(nameof(ReplenishmentPeriod), o => o.ReplenishmentPeriod, (o, v) => o.ReplenishmentPeriod = v,
            TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Integer(nameof(QueueLimit), o => o.QueueLimit, (o, v) => o.QueueLimit = v, 0, int.MaxValue)
        .Choice(nameof(QueueProcessingOrder), o => o.QueueProcessingOrder, (o, v) => o.QueueProcessingOrder = v);
}
