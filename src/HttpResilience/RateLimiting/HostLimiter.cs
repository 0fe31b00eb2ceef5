using System.Threading.RateLimiting;

namespace HttpResilience;

/// <summary>
/// Keeps the counts and buckets of a client's hosts. They are the platform's, which looks after all of them with one timer and forgets a
/// host some ten seconds after it has everything back, so that none is forgotten that still counts.
/// </summary>
internal sealed class HostLimiter
{
    private readonly TokenBucketPolicy? _bucket;
    private readonly PartitionedRateLimiter<HttpAuthority> _limiter;

    internal HostLimiter(RateLimiterPolicy policy)
    {
        OnlyObserves = policy.OnlyObserves;
        _bucket = policy.TokenBucket;
        _limiter = (policy.TokenBucket, policy.Concurrency) switch
        {
            ({ } bucket, { } concurrency) => PartitionedRateLimiter.CreateChained(Create(bucket), Create(concurrency)),
            ({ } bucket, null) => Create(bucket),
            (null, var concurrency) => Create(concurrency!),
        };
    }

    /// <summary>An attempt without a permit is sent too.</summary>
    internal bool OnlyObserves { get; }

    /// <summary>Waits for a permit, within the queue limits.</summary>
    internal ValueTask<RateLimitLease> AcquireAsync(HttpAuthority authority, CancellationToken cancellationToken) =>
        _limiter.AcquireAsync(authority, permitCount: 1, cancellationToken);

    /// <summary>When a token may be available for a rejected attempt; null when it was not rejected for a token.</summary>
    // The time that the bucket itself names is a whole period, while it is filled bit by bit.
    internal TimeSpan? RetryAfter(RateLimitLease refused) =>
        refused.TryGetMetadata(MetadataName.RetryAfter, out _) ? _bucket?.QueueTime : null;

    private static PartitionedRateLimiter<HttpAuthority> Create(TokenBucketPolicy policy) =>
        PartitionedRateLimiter.Create<HttpAuthority, HttpAuthority>(authority =>
        RateLimitPartition.GetTokenBucketLimiter(authority, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = policy.TokenLimit,
            TokensPerPeriod = policy.TokensPerPeriod,
            ReplenishmentPeriod = policy.ReplenishmentPeriod,
            QueueLimit = policy.QueueLimit,
            QueueProcessingOrder = policy.QueueProcessingOrder,
        }));

    private static PartitionedRateLimiter<HttpAuthority> Create(ConcurrencyLimitPolicy policy) =>
        PartitionedRateLimiter.Create<HttpAuthority, HttpAuthority>(authority =>
        RateLimitPartition.GetConcurrencyLimiter(authority, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = policy.PermitLimit,
            QueueLimit = policy.QueueLimit,
            QueueProcessingOrder = policy.QueueProcessingOrder,
        }));
}
