using System.Globalization;

namespace HttpResilience.Tool;

/// <summary>What each stage of a chain does, with the settings in force, in words.</summary>
internal static class ChainWords
{
    /// <summary>The name of a stage for people, and what it does with these settings.</summary>
    /// <param name="stage">The type of its handler.</param>
    /// <param name="options">The settings in force.</param>
    internal static (string Name, string Words) Of(Type stage, HttpResilienceOptions options) => stage.Name switch
    {
        nameof(RequestLoggingHandler) => ("Log", Log(options)),
        nameof(IdempotencyKeyHandler) => ("Idempotency key", Key(options.Idempotency)),
        nameof(ResponseReplayHandler) => ("Remembered responses",
            $"a key whose response is stored is answered without a request, for {Time(options.Idempotency.RememberFor)}"),
        nameof(FallbackHandler) => ("Fallback",
            $"a read that finally fails is answered with the last good response, when that is not older than "
            + Time(options.Fallback.StaleIfError)),
        nameof(DeadLetterHandler) => ("Dead letters", Letters(options.DeadLetter)),
        nameof(RetryHandler) => ("Retry", Retry(options)),
        nameof(HedgingHandler) => ("Hedging", Hedging(options.Hedging)),
        nameof(CircuitBreakerHandler) => ("Circuit", Circuit(options.CircuitBreaker)),
        nameof(RateLimitingHandler) => ("Rate limit", Limits(options.RateLimiter!)),
        nameof(ConcurrencyHandler) => ("Adaptive concurrency",
            Invariant($"from {options.Concurrency.MinLimit} to {options.Concurrency.MaxLimit} attempts at once to a host, ")
                + "as its latency allows"),
        nameof(QuotaHandler) => ("Quotas", Quotas(options.Quota)),
        nameof(ChaosHandler) => ("Chaos",
            Invariant($"faults are injected on purpose into {Part(options.Chaos.InjectionRate)} of the attempts")),
        var other => (other, ""),
    };

    private static string Log(HttpResilienceOptions options) => Sentence(
        $"one event for each call when it ends: {options.Logging.Level}, Warning when it failed",
        options.Logging.KeepFactoryLogging ? "the factory's four lines for each attempt are kept" : null);

    private static string Key(IdempotencyOptions options) => Sentence(
        options.Methods.Count == 0 ? "no method gets a key"
            : $"{List(options.Methods)} get {options.HeaderName}, the same in every attempt and replay",
        options.KeySource is KeySource.Content ? "made from the content: equal requests have the same key" : null,
        options.KeyLifetime is { } lifetime ? $"the API knows it for {Time(lifetime)}" : null);

    private static string Letters(DeadLetterOptions options) => Sentence(
        $"{List(options.Methods)} that finally fail are kept as letters",
        Invariant($"sent again by themselves at most {options.MaxReplays} times"),
        options.Protect ? "encrypted in the store" : null);

    private static string Retry(HttpResilienceOptions options)
    {
        var (retry, attempt) = (options.Retry, options.LongestAttempt);
        return Sentence(
            retry.MaxRetryAttempts == 0 || retry.Methods is { Count: 0 } ? "no retries" : Retries(retry),
            retry.Methods is { Count: > 0 } only ? $"only {List(only)}" : null,
            retry.UnsafeMethods switch
            {
                UnsafeMethods.WhenKeyed => "POST and PATCH only with a key once they may have been processed",
                UnsafeMethods.Always => "POST and PATCH also when they may have been processed",
                _ => "POST and PATCH never once they may have been processed",
            },
            retry.ShouldRetryAfterHeader ? $"Retry-After is obeyed up to {Time(retry.MaxRetryAfter)}" : "Retry-After is ignored",
            Budget(retry.Budget),
            attempt is null ? "an attempt has no timeout" : $"an attempt ends after {Time(attempt)}"
                + (options.AttemptTimeout.Learn ? ", or earlier as its host's latency shows" : ""),
            options.TotalRequestTimeout.Timeout is { } total ? $"the call ends after {Time(total)}" : "the call has no timeout");
    }

    private static string Retries(RetryOptions retry)
    {
        string most = retry.BackoffType is not BackoffType.Constant && retry.MaxDelay is { } cap && cap > retry.Delay
            ? $", at most {Time(cap)}" : "";
        string spread = retry.UseJitter ? ", spread at random" : "";
        string grows = retry.BackoffType switch
        {
            BackoffType.Constant => "each",
            BackoffType.Linear => "and as much more each time",
            _ => Invariant($"and {retry.BackoffFactor:0.##} times as long each time"),
        };
        string times = retry.MaxRetryAttempts == 1 ? "1 retry" : Invariant($"up to {retry.MaxRetryAttempts} retries");
        return $"{times} after {Time(retry.Delay)} {grows}{most}{spread}";
    }

    private static string? Budget(RetryBudgetOptions budget) => budget.RetryRatio is not { } ratio ? null
        : Invariant($"retries to a host {(budget.Mode is LimitMode.Observe ? "beyond" : "stay within")} {Part(ratio)} of its calls, ")
            + Invariant($"or {budget.MinimumThroughput} in {Time(budget.SamplingDuration)}")
            + (budget.Mode is LimitMode.Observe ? ", are only reported" : "");

    private static string Hedging(HedgingOptions options) => Invariant(
        $"a request without an answer after {(options.Delay is { } delay ? Time(delay) : "its host's p95")} is sent again beside it, ")
        + Invariant($"at most {options.MaxHedgedAttempts} times; the first answer counts");

    private static string Circuit(CircuitBreakerOptions options)
    {
        string?[] rules =
        [
            options.FailureThreshold is { } row ? Invariant($"{row} failures in a row")
                + (options.FailureDuration > TimeSpan.Zero ? $" over at least {Time(options.FailureDuration)}" : "") : null,
            options.FailureRatio is { } ratio
                ? Invariant($"{Part(ratio)} of at least {options.MinimumThroughput} attempts in {Time(options.SamplingDuration)} failed")
                : null,
            options.SlowCallDuration is { } slow ? $"{Part(options.SlowCallRatio)} of them took {Time(slow)} or longer" : null,
        ];
        return Sentence(
            $"after {string.Join(", or ", rules.OfType<string>())}, nothing is sent to the host for {Time(options.BreakDuration)}",
            options.MaxBreakDuration > options.BreakDuration ? $"longer while it stays away, up to {Time(options.MaxBreakDuration)}" : null,
            options.MaxWait is { } wait && wait >= options.BreakDuration
                ? Invariant($"calls wait up to {Time(wait)} for it, {options.MaxWaiting} at once; the others fail at once")
                : "calls fail at once meanwhile",
            options.Mode is CircuitMode.Observe ? "only reported: everything is sent" : null);
    }

    private static string Limits(RateLimiterOptions options) => Sentence(
        options.TokenBucket is { } bucket
            ? Invariant($"{bucket.TokensPerPeriod} attempts in {Time(bucket.ReplenishmentPeriod)} to a host, ")
                + Invariant($"{bucket.TokenLimit} in one go") : null,
        options.DefaultRateLimiterOptions is { } limit
            ? Invariant($"{limit.PermitLimit} attempts at once to a host, {limit.QueueLimit} more wait") : null,
        options.Mode is LimitMode.Observe ? "only reported: everything is sent" : null);

    private static string Quotas(QuotaOptions options) => Sentence(
        options.Preset is { } preset ? $"those that {preset} reports" : "those in the fields of the settings",
        options.Pace ? "attempts are spread over what is left of them" : null);

    /// <summary>A duration as one speaks of it; null is without end.</summary>
    internal static string Time(TimeSpan? time) => time switch
    {
        null => "any time",
        { Ticks: >= TimeSpan.TicksPerDay } days => Invariant($"{days.TotalDays:0.##} d"),
        { Ticks: >= TimeSpan.TicksPerHour } hours => Invariant($"{hours.TotalHours:0.##} h"),
        // As one speaks of timeouts: 100 s.
        { TotalSeconds: > 120 } minutes => Invariant($"{minutes.TotalMinutes:0.##} min"),
        { TotalSeconds: >= 1 } seconds => Invariant($"{seconds.TotalSeconds:0.###} s"),
        { } short_ => Invariant($"{short_.TotalMilliseconds:0.###} ms"),
    };

    private static string Part(double ratio) => Invariant($"{ratio * 100:0.##} %");

    private static string List(IEnumerable<string> names) => string.Join(", ", names);

    private static string Sentence(params string?[] parts) => string.Join("; ", parts.OfType<string>());

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
