using Microsoft.Extensions.Http.Resilience;

namespace HttpResilience.Migration;

/// <summary>Which options and delegates are those that Microsoft.Extensions.Http.Resilience sets by itself.</summary>
internal static class PeerDefaults
{
    private static readonly HttpStandardHedgingResilienceOptions Hedged = new();

    internal static HttpStandardResilienceOptions Standard { get; } = new();

    internal static bool Retries(HttpRetryStrategyOptions retry) => Equals(retry.ShouldHandle, Standard.Retry.ShouldHandle);

    internal static bool Delays(HttpRetryStrategyOptions retry) =>
        retry.DelayGenerator is null || Equals(retry.DelayGenerator, Standard.Retry.DelayGenerator);

    internal static bool Hedges(HttpHedgingStrategyOptions hedging) => Equals(hedging.ShouldHandle, Hedged.Hedging.ShouldHandle);

    internal static bool Counts(HttpCircuitBreakerStrategyOptions circuit) =>
        Equals(circuit.ShouldHandle, Standard.CircuitBreaker.ShouldHandle);

    internal static bool Limits(HttpRateLimiterStrategyOptions limiter) => limiter.RateLimiter is null
        && limiter.DefaultRateLimiterOptions is var own && Standard.RateLimiter.DefaultRateLimiterOptions is var standard
        && (own.PermitLimit, own.QueueLimit) == (standard.PermitLimit, standard.QueueLimit);
}
