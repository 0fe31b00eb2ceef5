using Polly;

namespace HttpResilience.Migration;

/// <summary>
/// The options of the chain that correspond to those of a standard handler: timeouts, attempts and waits as they are in force; circuit and
/// rate limiter only where the application has changed them, because the chain's own are better founded.
/// </summary>
internal static class PeerMapping
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    internal static void Apply(PeerSettings from, HttpResilienceOptions to)
    {
        to.TotalRequestTimeout.Timeout = from.Total.Timeout;
        to.AttemptTimeout.Timeout = from.Attempt.Timeout;
        if (from.Total.TimeoutGenerator is not null)
            to.MaxTimeout = Longest;
        ApplyRetry(from, to.Retry);
        ApplyCircuit(from, to.CircuitBreaker);
        if (!PeerDefaults.Limits(from.RateLimiter) && from.RateLimiter.RateLimiter is null)
            to.RateLimiter = LimiterOf(from);
        if (from.Hedging is not { } hedging)
            return;
        to.Hedging.Enabled = true;
        to.Hedging.MaxHedgedAttempts = hedging.MaxHedgedAttempts;
        to.Hedging.Delay = hedging.Delay < TimeSpan.Zero ? Longest : hedging.Delay;
        ApplyEndpoints(from, to.Endpoints);
    }

    /// <summary>The backoff of Polly as that of the chain.</summary>
    internal static BackoffType BackoffTypeOf(DelayBackoffType type) => type switch
    {
        DelayBackoffType.Constant => BackoffType.Constant,
        DelayBackoffType.Linear => BackoffType.Linear,
        _ => BackoffType.Exponential,
    };

    private static void ApplyRetry(PeerSettings from, RetryOptions to)
    {
        if (from.Retry is not { } retry)
        {
            // Requests that are sent after a failure are hedged ones.
            to.MaxRetryAttempts = 0;
            return;
        }

        to.MaxRetryAttempts = retry.MaxRetryAttempts;
        to.BackoffType = BackoffTypeOf(retry.BackoffType);
        to.Delay = retry.Delay;
        to.MaxDelay = retry.MaxDelay;
        to.UseJitter = retry.UseJitter;
        // Without the generator that reads it, Retry-After means nothing there.
        to.ShouldRetryAfterHeader = retry is { ShouldRetryAfterHeader: true, DelayGenerator: not null };
    }

    private static void ApplyCircuit(PeerSettings from, CircuitBreakerOptions to)
    {
        var (circuit, standard) = (from.CircuitBreaker, PeerDefaults.Standard.CircuitBreaker);
        // ReSharper disable once CompareOfFloatsByEqualityOperator
        if (circuit.FailureRatio != standard.FailureRatio)
            (to.FailureRatio, to.FailureThreshold) = (circuit.FailureRatio, null);
        if (circuit.MinimumThroughput != standard.MinimumThroughput)
            to.MinimumThroughput = circuit.MinimumThroughput;
        if (circuit.SamplingDuration != standard.SamplingDuration)
            to.SamplingDuration = circuit.SamplingDuration;
        if (circuit.BreakDuration == standard.BreakDuration)
            return;
        // Breaks of that handler do not grow, and calls do not wait for them.
        (to.BreakDuration, to.MaxBreakDuration) = (circuit.BreakDuration, circuit.BreakDuration);
        if (circuit.BreakDuration > to.MaxWait)
            to.MaxWait = null;
    }

    private static RateLimiterOptions LimiterOf(PeerSettings from)
    {
        var limit = from.RateLimiter.DefaultRateLimiterOptions;
        return new()
        {
            DefaultRateLimiterOptions = new()
            {
                PermitLimit = limit.PermitLimit,
                QueueLimit = limit.QueueLimit,
                QueueProcessingOrder = limit.QueueProcessingOrder,
            },
        };
    }

    private static void ApplyEndpoints(PeerSettings from, EndpointsOptions to)
    {
        if (from.Weighted.Count > 0 || from.Ordered is [{ Endpoints.Count: > 1 }])
        {
            var shares = from.Weighted.Count > 0 ? EndpointShares.Of(from.Weighted) : EndpointShares.Of(from.Ordered[0]);
            to.Mode = EndpointMode.Weighted;
            to.Uris = [.. shares.Select(s => s.Uri)];
            to.Weights = [.. shares.Select(s => s.Weight)];
        }
        else if (from.Ordered.Count > 0)
        {
            to.Mode = EndpointMode.Ordered;
            to.Uris = [.. from.Ordered.SelectMany(g => g.Endpoints).Select(e => EndpointShares.RootOf(e.Uri)).Distinct()];
        }
    }
}
