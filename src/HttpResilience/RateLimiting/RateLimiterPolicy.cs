using System.Threading.RateLimiting;

namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="RateLimiterOptions"/>.</summary>
internal sealed record RateLimiterPolicy(int PermitLimit, int QueueLimit, QueueProcessingOrder QueueProcessingOrder)
{
    internal static RateLimiterPolicy? From(RateLimiterOptions? options) =>
        options?.DefaultRateLimiterOptions is { } o ? new(o.PermitLimit, o.QueueLimit, o.QueueProcessingOrder) : null;

    /// <summary>A limiter that keeps a count for each authority, and forgets those that are idle.</summary>
    internal PartitionedRateLimiter<HttpAuthority> CreateLimiter() => PartitionedRateLimiter.Create<HttpAuthority, HttpAuthority>(authority =>
        RateLimitPartition.GetConcurrencyLimiter(authority, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = PermitLimit,
            QueueLimit = QueueLimit,
            QueueProcessingOrder = QueueProcessingOrder,
        }));
}
