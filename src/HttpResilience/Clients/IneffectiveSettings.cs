namespace HttpResilience;

/// <summary>Settings that were set and have no effect because of another setting.</summary>
internal static class IneffectiveSettings
{
    private const string Retries = "Retry:MaxRetryAttempts";
    private const string Mode = "Retry:Jitter:Mode";
    private const string Total = "TotalRequestTimeout:Timeout";
    private const string Attempt = "AttemptTimeout:Timeout";
    private const string Break = "CircuitBreaker:BreakDuration";
    private const string Ratio = "CircuitBreaker:FailureRatio";
    private const string Wait = "CircuitBreaker:MaxWait";
    private const string Waiting = "CircuitBreaker:MaxWaiting";
    private const string SlowCall = "CircuitBreaker:SlowCallDuration";
    private const string Concurrency = "RateLimiter:DefaultRateLimiterOptions";
    private const string AdaptiveMode = "Concurrency:Mode";
    private const StringComparison Ordinal = StringComparison.Ordinal;
    private const string Bucket = "RateLimiter:TokenBucket";

    private static readonly Dictionary<string, object?> BuiltIn = ValuesOf(new());

    private static readonly Rule[] Rules =
    [
        new(o => o.AttemptTimeout.Timeout > o.TotalRequestTimeout.Timeout, Total, [Attempt]),
        new(o => o.TotalRequestTimeout.Timeout is not { } total || o.MaxTimeout <= total, Total, ["MaxTimeout"]),
        new(o => o.Retry.MaxRetryAttempts == 0, Retries,
            ["Retry:Delay", "Retry:MaxDelay", "Retry:BackoffType", "Retry:BackoffFactor", "Retry:UseJitter", "Retry:Jitter:"]),
        new(o => o.Retry.Delay >= o.TotalRequestTimeout.Timeout, Total, ["Retry:Delay"]),
        new(o => o.Retry.Delay > o.Retry.MaxDelay, "Retry:MaxDelay", ["Retry:Delay"]),
        new(o => o.Retry.BackoffType is not BackoffType.Exponential, "Retry:BackoffType", ["Retry:BackoffFactor"]),
        new(o => !o.Retry.UseJitter, "Retry:UseJitter", ["Retry:Jitter:"]),
        new(o => ModeOf(o.Retry) is not JitterMode.Proportional, Mode, ["Retry:Jitter:Factor"]),
        new(o => ModeOf(o.Retry) is not JitterMode.Additive, Mode, ["Retry:Jitter:Maximum"]),
        new(o => !o.Retry.ShouldRetryAfterHeader, "Retry:ShouldRetryAfterHeader", ["Retry:MaxRetryAfter"]),
        new(o => o.Retry.Budget.RetryRatio is null, "Retry:Budget:RetryRatio", ["Retry:Budget:"]),
        new(o => o.Retry.MaxReplayBodyBytes > o.Retry.MaxReplayBytesInFlight, "Retry:MaxReplayBytesInFlight", ["Retry:MaxReplayBodyBytes"]),
        new(o => o.CircuitBreaker.BreakDuration is null, Break, ["CircuitBreaker:"]),
        new(o => HasNoRule(o.CircuitBreaker), "CircuitBreaker:FailureThreshold", ["CircuitBreaker:"]),
        new(o => o.CircuitBreaker.MaxBreakDuration < o.CircuitBreaker.BreakDuration, Break, ["CircuitBreaker:MaxBreakDuration"]),
        new(o => o.CircuitBreaker.MaxWait < o.CircuitBreaker.BreakDuration, Break, [Waiting]),
        new(o => o.CircuitBreaker.MaxWait is null, Wait, [Waiting]),
        new(o => o.CircuitBreaker.MaxWaiting == 0, Waiting, [Wait]),
        new(o => o.CircuitBreaker is { FailureRatio: null, SlowCallDuration: null }, Ratio,
            ["CircuitBreaker:SamplingDuration", "CircuitBreaker:MinimumThroughput"]),
        new(o => o.CircuitBreaker.SlowCallDuration is null, SlowCall, ["CircuitBreaker:SlowCallRatio"]),
        new(o => o.CircuitBreaker.SlowCallDuration > o.AttemptTimeout.Timeout, Attempt, [SlowCall]),
        new(o => o.CircuitBreaker.SlowCallDuration > o.TotalRequestTimeout.Timeout, Total, [SlowCall]),
        new(o => o.RateLimiter?.DefaultRateLimiterOptions?.QueueLimit is 0, $"{Concurrency}:QueueLimit",
            [$"{Concurrency}:QueueProcessingOrder"]),
        new(o => o.RateLimiter?.TokenBucket?.QueueLimit is 0, $"{Bucket}:QueueLimit", [$"{Bucket}:QueueProcessingOrder"]),
        new(o => o.RateLimiter is { DefaultRateLimiterOptions: null, TokenBucket: null }, Concurrency, ["RateLimiter:Mode"]),
        new(o => o.Concurrency.IsOff, AdaptiveMode, ["Concurrency:"]),
        new(o => o.Concurrency.MinLimit > o.Concurrency.MaxLimit, "Concurrency:MaxLimit", ["Concurrency:MinLimit"]),
        new(o => !o.Idempotency.Enabled, "Idempotency:Enabled", ["Idempotency:"]),
        new(o => !o.Fallback.Enabled, "Fallback:Enabled", ["Fallback:"]),
        new(o => !o.DeadLetter.Enabled, "DeadLetter:Enabled", ["DeadLetter:"]),
        new(o => !o.Hedging.Enabled, "Hedging:Enabled", ["Hedging:"]),
        new(o => o.Hedging.Delay >= o.AttemptTimeout.Timeout, Attempt, ["Hedging:Delay"]),
        new(o => o.Hedging.Delay >= o.TotalRequestTimeout.Timeout, Total, ["Hedging:Delay"]),
        new(o => !o.HasEndpoints, "Endpoints:Uris", ["Endpoints:Mode", "Endpoints:SharesKeys"]),
        new(o => !o.Chaos.Enabled, "Chaos:Enabled", ["Chaos:"]),
    ];

    // The state of hosts is bounded without circuits too, and a permission does nothing by itself.
    private static readonly string[] AlwaysRead = ["CircuitBreaker:MaxCircuits", "Chaos:AllowInProduction"];

    /// <summary>The settings of a client that have no effect, each with the one that is the reason.</summary>
    internal static IEnumerable<string> In(HttpResilienceOptions options)
    {
        var values = ValuesOf(options);
        HashSet<string> reported = new(StringComparer.OrdinalIgnoreCase);
        foreach (var rule in Rules.Where(r => r.Holds(options)))
        {
            // A section that is not there has no value.
            object? by = values.GetValueOrDefault(rule.By);
            string[] dead = [.. values.Where(v => rule.IsAbout(v.Key) && IsWritten(options, v.Key, rule, v.Value, by)).Select(v => v.Key)
                .Where(reported.Add)];
            if (dead.Length > 0)
            {
                yield return $"{string.Join(", ", dead.Select(key => $"{options.PathOf(key)} ({Show(values[key])})"))}: no effect while "
                    + $"{options.PathOf(rule.By)} is {(by is "" ? "empty" : OptionPath.Show(by))}";
            }
        }

        if (options.LeavesOutBaseAddress)
        {
            yield return $"{options.Path.Of(nameof(options.BaseAddress))} ({OptionPath.Show(options.BaseAddress)}): no calls go there "
                + $"while {options.Path.Of("Endpoints:Uris")} does not have it";
        }

        // Also where only BreakDuration is written: the default of MaxWait is meant for the default break.
        var circuit = options.CircuitBreaker;
        if (circuit.MaxWait < circuit.BreakDuration && !HasNoRule(circuit)
            && (options.OfClient is null || options.SourceOf(Wait, circuit.MaxWait) > OptionSource.BuiltIn))
        {
            yield return $"{options.PathOf(Wait)} ({circuit.MaxWait}) is shorter than {options.PathOf(Break)} ({circuit.BreakDuration}): "
                + "no call waits for an open circuit; if that is intended, set MaxWait to null";
        }
    }

    private static bool HasNoRule(CircuitBreakerOptions options) =>
        options is { FailureThreshold: null, FailureRatio: null, SlowCallDuration: null };

    // A setting that a more specific one overrides is not a mistake.
    private static bool IsWritten(HttpResilienceOptions options, string key, Rule rule, object? value, object? byValue)
    {
        // A section that is not there was not written.
        bool isAbsent = byValue is null && !options.Read.ContainsKey(rule.By);
        var (source, by) = (options.SourceOf(key, value), isAbsent ? OptionSource.BuiltIn : options.SourceOf(rule.By, byValue));
        bool isDefault = rule.IsAboutSectionOf(key) && BuiltIn.TryGetValue(key, out object? builtIn) && Equals(value, builtIn);
        // Numbers for the clients that switch it on.
        bool isForOthers = source == OptionSource.Defaults && by == OptionSource.BuiltIn
            && (rule.By.EndsWith(":Enabled", Ordinal) || rule.By == AdaptiveMode);
        return value is not null && source > OptionSource.BuiltIn && source >= by && !isDefault && !isForOthers;
    }

    private static JitterMode ModeOf(RetryOptions retry) => retry.Jitter.Mode
        ?? (retry.BackoffType is BackoffType.Exponential ? JitterMode.Decorrelated : JitterMode.Proportional);

    private static string Show(object? value) => value is null ? "null" : OptionPath.Show(value).Trim('\'');

    private static Dictionary<string, object?> ValuesOf(HttpResilienceOptions options) =>
        HttpResilienceOptions.Keys.ValuesOf(options).ToDictionary(StringComparer.OrdinalIgnoreCase);

    /// <param name="By">The key that makes others dead.</param>
    /// <param name="Keys">The dead keys, or sections of them with a colon at the end.</param>
    private sealed record Rule(Func<HttpResilienceOptions, bool> Holds, string By, string[] Keys)
    {
        internal bool IsAbout(string key) => key != By && !AlwaysRead.Contains(key)
            && (Keys.Contains(key) || IsAboutSectionOf(key));

        internal bool IsAboutSectionOf(string key) => Keys.Any(k => k.EndsWith(':') && key.StartsWith(k, Ordinal));
    }
}
