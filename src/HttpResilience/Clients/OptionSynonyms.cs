namespace HttpResilience;

/// <summary>
/// Names of other libraries and of older versions of this one, alone or below a section, with the keys that mean the same: for the hints
/// about unknown keys.
/// </summary>
internal static class OptionSynonyms
{
    private const string Retries = "Retry:MaxRetryAttempts";
    private const string Breaks = "CircuitBreaker:BreakDuration";
    private const string Failures = "CircuitBreaker:FailureThreshold";
    private const string Permits = "RateLimiter:DefaultRateLimiterOptions:PermitLimit";
    private const string Attempt = "AttemptTimeout:Timeout";
    private const string Total = "TotalRequestTimeout:Timeout";

    internal static IReadOnlyDictionary<string, string[]> Paths { get; } = new Dictionary<string, string[]>(
        StringComparer.OrdinalIgnoreCase)
    {
        ["BaseUrl"] = ["BaseAddress"],
        ["BaseUri"] = ["BaseAddress"],
        ["Url"] = ["BaseAddress"],
        ["Uri"] = ["BaseAddress"],
        ["Host"] = ["BaseAddress"],
        ["Address"] = ["BaseAddress"],
        ["Endpoint"] = ["BaseAddress"],
        ["Timeouts"] = [Total, Attempt],
        ["TimeoutSeconds"] = [Total, Attempt],
        ["TotalTimeout"] = [Total],
        ["RequestTimeout"] = [Total, Attempt],
        ["OverallTimeout"] = [Total],
        ["PerTryTimeout"] = [Attempt],
        ["TryTimeout"] = [Attempt],
        ["Retries"] = [Retries],
        ["RetryCount"] = [Retries],
        ["RetryPolicy"] = ["Retry"],
        ["MaxRetries"] = [Retries],
        ["MaxRetryCount"] = [Retries],
        ["MaxAttempts"] = [Retries],
        ["RetryAttempts"] = [Retries],
        ["Attempts"] = [Retries],
        ["Retry:Count"] = [Retries],
        ["Retry:Enabled"] = [$"{Retries} (0 switches retries off)"],
        ["Retry:Backoff"] = ["Retry:BackoffType"],
        ["MedianFirstRetryDelay"] = ["Retry:Delay"],
        ["BaseDelay"] = ["Retry:Delay"],
        ["RetryDelay"] = ["Retry:Delay"],
        ["SleepDuration"] = ["Retry:Delay"],
        ["RespectRetryAfter"] = ["Retry:ShouldRetryAfterHeader"],
        ["DisableForUnsafeHttpMethods"] = ["Retry:UnsafeMethods (Never)"],
        ["Breaker"] = ["CircuitBreaker"],
        ["Circuit"] = ["CircuitBreaker"],
        ["CircuitBreaker:Enabled"] = [$"{Breaks} (null switches the circuit off)"],
        ["DurationOfBreak"] = [Breaks],
        ["ExceptionsAllowedBeforeBreaking"] = [Failures],
        ["HandledEventsAllowedBeforeBreaking"] = [Failures],
        ["ConsecutiveFailures"] = [Failures],
        ["AdvancedCircuitBreaker"] = ["CircuitBreaker"],
        ["Limiter"] = ["RateLimiter"],
        ["RateLimit"] = ["RateLimiter"],
        ["RateLimiting"] = ["RateLimiter"],
        ["Concurrency"] = ["RateLimiter:DefaultRateLimiterOptions"],
        ["ConcurrencyLimiter"] = ["RateLimiter:DefaultRateLimiterOptions"],
        ["Bulkhead"] = ["RateLimiter:DefaultRateLimiterOptions"],
        ["MaxParallelization"] = [Permits],
        ["MaxConcurrency"] = [Permits],
        ["RateLimiter:Enabled"] = ["RateLimiter (null switches it off)"],
        ["Idempotency:Header"] = ["Idempotency:HeaderName"],
        ["Idempotency:Key"] = ["Idempotency:HeaderName"],
        ["Chaos:Rate"] = ["Chaos:InjectionRate"],
        ["IdempotencyKey"] = ["Idempotency:HeaderName"],
        ["IdempotencyHeader"] = ["Idempotency:HeaderName"],
        ["IdempotencyKeys"] = ["Idempotency"],
        ["KeyTtl"] = ["Idempotency:KeyLifetime"],
        ["Cache"] = ["Fallback"],
        ["Outbox"] = ["DeadLetter"],
        ["DeadLetterQueue"] = ["DeadLetter"],
        ["Log"] = ["Logging"],
        ["LogLevel"] = ["Logging:Level"],
        ["Simmy"] = ["Chaos"],
    };
}
