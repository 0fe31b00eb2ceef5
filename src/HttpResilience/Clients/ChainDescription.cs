using System.Globalization;

namespace HttpResilience;

/// <summary>The chain and the settings of a client in one line.</summary>
internal static class ChainDescription
{
    internal static string Of(HttpResilienceOptions options)
    {
        string?[] parts =
        [
            Keys(options.Idempotency),
            Retries(options.Retry),
            Circuit(options.CircuitBreaker),
            Concurrency(options.RateLimiter),
            Tokens(options.RateLimiter),
            Adaptive(options.Concurrency),
            options.Hedging.Enabled ? $"hedge after {(options.Hedging.Delay is { } delay ? Show(delay) : "p95")}" : null,
            (options.LongestAttempt is { } attempt ? $"attempt {Show(attempt)}" : "attempt without timeout")
                + (options.AttemptTimeout.Learn ? " or learned" : ""),
            options.TotalRequestTimeout.Timeout is { } total ? $"total {Show(total)}" : "total without timeout",
            Endpoints(options.Endpoints),
            options.Fallback.Enabled ? $"fallback {Show(options.Fallback.StaleIfError)}" : null,
            options.DeadLetter.Enabled ? "dead letters" : null,
            options.Chaos.Enabled ? "chaos" : null,
        ];
        return string.Join(" · ", parts.OfType<string>());
    }

    private static string? Endpoints(EndpointsOptions options) => options.Uris.Count == 0 ? null
        : string.Create(CultureInfo.InvariantCulture, $"{options.Uris.Count} endpoints {options.Mode.ToString().ToLowerInvariant()}");

    private static string Keys(IdempotencyOptions options)
    {
        if (!options.Enabled || options.Methods.Count == 0)
            return "no keys";
        string source = options.KeySource is KeySource.Content ? " from content" : "";
        return $"keys {string.Join(' ', options.Methods)}{source}"
            + (options.RememberFor is { } time ? $", remembered {Show(time)}" : "");
    }

    private static string Retries(RetryOptions options)
    {
        if (options.MaxRetryAttempts == 0 || options.Methods is { Count: 0 })
            return "no retry";
        string methods = options.Methods is { } only ? $" of {string.Join(' ', only)}" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"retry {options.MaxRetryAttempts}{methods} {options.BackoffType.ToString().ToLowerInvariant()} {Show(options.Delay)}");
    }

    private static string Circuit(CircuitBreakerOptions options)
    {
        List<string> rules = [];
        if (options.FailureThreshold is { } row)
            rules.Add(string.Create(CultureInfo.InvariantCulture, $"{row} in a row{Duration(options.FailureDuration)}"));
        if (options.FailureRatio is { } ratio)
            rules.Add($"{Percent(ratio)} of {options.MinimumThroughput}");
        if (options.SlowCallDuration is { } slow)
            rules.Add($"{Percent(options.SlowCallRatio)} slower than {Show(slow)}");
        if (options.BreakDuration is not { } first || rules.Count == 0)
            return "no circuit";
        string breaks = options.MaxBreakDuration is { } last && last > first ? Range(Show(first), Show(last)) : Show(first);
        string waits = options.MaxWait is { } wait && wait >= first ? $", waits {Show(wait)}" : "";
        return $"circuit {string.Join(" or ", rules)}, break {breaks}"
            + (options.Mode is CircuitMode.Observe ? ", observed only" : waits);
    }

    private static string Duration(TimeSpan? ofRow) => ofRow > TimeSpan.Zero ? $" over {Show(ofRow.Value)}" : "";

    private static string? Concurrency(RateLimiterOptions? limiter) => limiter?.DefaultRateLimiterOptions is not { } options ? null
        : string.Create(CultureInfo.InvariantCulture, $"{options.PermitLimit} at once{Observed(limiter.Mode)}");

    private static string? Tokens(RateLimiterOptions? limiter) => limiter?.TokenBucket is not { } options ? null
        : string.Create(
            CultureInfo.InvariantCulture, $"{options.TokensPerPeriod} per {Show(options.ReplenishmentPeriod)}{Observed(limiter.Mode)}");

    private static string? Adaptive(ConcurrencyOptions options) => options.IsOff ? null
        : string.Create(CultureInfo.InvariantCulture,
            $"{Math.Min(options.MinLimit, options.MaxLimit)}–{options.MaxLimit} at once, adaptive");

    private static string Observed(LimitMode mode) => mode is LimitMode.Observe ? ", observed only" : "";

    private static string Percent(double ratio) => string.Create(CultureInfo.InvariantCulture, $"{ratio * 100:0.##} %");

    private static string Range(string from, string to) => (from.Split(' '), to.Split(' ')) is ([var value, var unit], [_, var same])
        && unit == same ? $"{value}–{to}" : $"{from} – {to}";

    private static string Show(TimeSpan time)
    {
        var (value, unit) = time switch
        {
            { Ticks: >= TimeSpan.TicksPerDay } => (time.TotalDays, "d"),
            { Ticks: >= TimeSpan.TicksPerHour } => (time.TotalHours, "h"),
            // As one speaks of timeouts: 100 s.
            _ => (time.TotalSeconds, "s"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.###} {unit}");
    }
}
