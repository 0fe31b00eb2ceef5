using System.Threading.RateLimiting;

namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="RateLimiterOptions"/>.</summary>
internal sealed record RateLimiterPolicy(ConcurrencyLimitPolicy? Concurrency, TokenBucketPolicy? TokenBucket)
{
    /// <summary>The limits let every attempt pass.</summary>
    internal bool OnlyObserves { get; init; }

    /// <returns>Null when there is no limit.</returns>
    internal static RateLimiterPolicy? From(RateLimiterOptions? options) =>
        options is null or { DefaultRateLimiterOptions: null, TokenBucket: null } ? null
        : new(ConcurrencyLimitPolicy.From(options.DefaultRateLimiterOptions), TokenBucketPolicy.From(options.TokenBucket))
        {
            OnlyObserves = options.Mode is LimitMode.Observe,
        };
}

/// <summary>An immutable snapshot of <see cref="ConcurrencyLimitOptions"/>.</summary>
internal sealed record ConcurrencyLimitPolicy(int PermitLimit, int QueueLimit, QueueProcessingOrder QueueProcessingOrder)
{
    internal static ConcurrencyLimitPolicy? From(ConcurrencyLimitOptions? options) =>
        options is null ? null : new(options.PermitLimit, options.QueueLimit, options.QueueProcessingOrder);
}

/// <summary>An immutable snapshot of <see cref="TokenBucketOptions"/>.</summary>
internal sealed record TokenBucketPolicy(
    int TokenLimit, int TokensPerPeriod, TimeSpan ReplenishmentPeriod, int QueueLimit, QueueProcessingOrder QueueProcessingOrder)
{
    /// <summary>How long it takes until a full queue and one more attempt have received a token.</summary>
    internal TimeSpan QueueTime { get; } = TimeSpan.FromTicks((long)decimal.Min(
        long.MaxValue, decimal.Ceiling((decimal)ReplenishmentPeriod.Ticks * (QueueLimit + 1m) / TokensPerPeriod)));

    internal static TokenBucketPolicy? From(TokenBucketOptions? options) => options is null ? null
        : new(options.TokenLimit, options.TokensPerPeriod, options.ReplenishmentPeriod, options.QueueLimit, options.QueueProcessingOrder);
}
