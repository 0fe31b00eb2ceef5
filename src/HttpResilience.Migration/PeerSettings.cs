using Microsoft.Extensions.Http.Resilience;

namespace HttpResilience.Migration;

/// <summary>What the options of <c>AddStandardResilienceHandler</c> and <c>AddStandardHedgingHandler</c> have in common.</summary>
/// <param name="Total">The timeout of a call.</param>
/// <param name="Attempt">The timeout of an attempt.</param>
/// <param name="Retry">Null when it hedges.</param>
/// <param name="Hedging">Null when it retries.</param>
internal sealed record PeerSettings(
    HttpTimeoutStrategyOptions Total, HttpTimeoutStrategyOptions Attempt, HttpRetryStrategyOptions? Retry,
    HttpHedgingStrategyOptions? Hedging, HttpCircuitBreakerStrategyOptions CircuitBreaker, HttpRateLimiterStrategyOptions RateLimiter)
{
    /// <summary>The groups of endpoints that are tried in turn; empty when there are none.</summary>
    internal IReadOnlyList<UriEndpointGroup> Ordered { get; init; } = [];

    /// <summary>The groups of endpoints that are drawn by weight; empty when there are none.</summary>
    internal IReadOnlyList<WeightedUriEndpointGroup> Weighted { get; init; } = [];

    /// <summary>Selects the pipeline of a request; null when all share one, or when each host has its own.</summary>
    internal Func<HttpRequestMessage, string>? Key { get; init; }

    /// <summary>Each host has a pipeline of its own.</summary>
    internal bool IsByAuthority { get; init; }

    /// <summary>All clients have a standard handler too, which is another one around that of the client.</summary>
    internal bool IsBesideAll { get; init; }

    /// <summary>The client has the same handler twice.</summary>
    internal bool IsTwice { get; init; }

    /// <summary>The client has both handlers, and the chain would take the place of both.</summary>
    internal bool IsBesideOther { get; init; }

    internal static PeerSettings From(HttpStandardResilienceOptions options) => new(
        options.TotalRequestTimeout, options.AttemptTimeout, options.Retry, null, options.CircuitBreaker, options.RateLimiter);

    internal static PeerSettings From(HttpStandardHedgingResilienceOptions options) => new(
        options.TotalRequestTimeout, options.Endpoint.Timeout, null, options.Hedging, options.Endpoint.CircuitBreaker,
        options.Endpoint.RateLimiter);

    /// <summary>The application has given at least one delegate, or a key, which are asked call by call.</summary>
    internal bool HasDelegates =>
        Key is not null || RateLimiter is { RateLimiter: not null } or { OnRejected: not null }
        || Total is { TimeoutGenerator: not null } or { OnTimeout: not null }
        || Attempt is { TimeoutGenerator: not null } or { OnTimeout: not null }
        || CircuitBreaker is { OnOpened: not null } or { OnClosed: not null } or { OnHalfOpened: not null }
        || !PeerDefaults.Counts(CircuitBreaker)
        || (Retry is { } retry && (retry.OnRetry is not null || !PeerDefaults.Delays(retry) || !PeerDefaults.Retries(retry)))
        || (Hedging is { } hedging && (hedging.OnHedging is not null || !PeerDefaults.Hedges(hedging)));

    /// <summary>The groups of endpoints, of which each gets one request of a call; 0 when there are none.</summary>
    internal int Groups => Weighted.Count > 0 ? Weighted.Count : Ordered.Count;

    /// <summary>The option that is the timeout of an attempt.</summary>
    internal string AttemptOption => Hedging is null ? "AttemptTimeout" : "Endpoint.Timeout";

    /// <summary>The prefix of the options of an endpoint.</summary>
    internal string EndpointPrefix => Hedging is null ? "" : "Endpoint.";
}
