namespace HttpResilience;

/// <summary>
/// An immutable snapshot of <see cref="HttpResilienceOptions"/>, made once per client and reload. Handlers read this, never options.
/// </summary>
internal sealed class ResiliencePolicy(string clientName, HttpResilienceOptions options, TimeProvider time)
{
    private readonly long _totalTimeout = Ticks(options.TotalRequestTimeout.Timeout, time);
    private readonly long _attemptTimeout = Ticks(options.AttemptTimeout.Timeout, time);
    private readonly long _keyLifetime = Ticks(options.Idempotency.KeyLifetime, time);

    internal string ClientName => clientName;

    internal TimeProvider Time => time;

    /// <summary>Ends with a slash; without it relative URIs would replace the last segment of the path.</summary>
    internal Uri? BaseAddress { get; } = options.BaseAddress is not { } uri || uri.AbsolutePath.EndsWith('/') ? options.BaseAddress
        : new UriBuilder(uri) { Path = uri.AbsolutePath + "/" }.Uri;

    internal TimeSpan? TotalRequestTimeout { get; } = options.TotalRequestTimeout.Timeout;

    /// <summary>The <see cref="HttpClient.Timeout"/> of a client for which the application sets none.</summary>
    internal TimeSpan Backstop { get; } = BackstopOf(options);

    internal TimeSpan? AttemptTimeout { get; } = options.AttemptTimeout.Timeout;

    /// <inheritdoc cref="HttpResilienceOptions.LongestAttempt"/>
    internal TimeSpan? LongestAttempt { get; } = options.LongestAttempt;

    internal RetryPolicy Retry { get; } = RetryPolicy.From(options.Retry, time.TimestampFrequency);

    internal CircuitPolicy? CircuitBreaker { get; } = CircuitPolicy.From(options.CircuitBreaker, time.TimestampFrequency);

    /// <summary>There is a circuit, and it does not only observe.</summary>
    internal bool HasActiveCircuit => CircuitBreaker is { OnlyObserves: false };

    internal RateLimiterPolicy? RateLimiter { get; } = RateLimiterPolicy.From(options.RateLimiter);

    internal ConcurrencyPolicy? Concurrency { get; } = ConcurrencyPolicy.From(options.Concurrency, time.TimestampFrequency);

    internal bool IsConcurrencyAdaptive => Concurrency is not null;

    internal IdempotencyPolicy? Idempotency { get; } = IdempotencyPolicy.From(options.Idempotency);

    internal FallbackPolicy? Fallback { get; } = FallbackPolicy.From(options.Fallback);

    internal DeadLetterPolicy? DeadLetter { get; } = DeadLetterPolicy.From(options.DeadLetter);

    internal HedgingPolicy? Hedging { get; } = HedgingPolicy.From(options.Hedging);

    internal ErrorBudgetOptions ErrorBudget { get; } = options.ErrorBudget;

    internal RequestLoggingPolicy Logging { get; } = new(
        options.Logging, options.DeadLetter.SecretHeaders, options.DeadLetter.SecretQueryParameters);

    internal ChaosPolicy? Chaos { get; } = ChaosPolicy.From(options.Chaos, time);

    /// <summary>The timestamp at which a call is over; <see cref="long.MaxValue"/> when it has no deadline.</summary>
    /// <param name="ofCall">The timeout that the caller set for the call; null for none.</param>
    internal long DeadlineFrom(long startedAt, TimeSpan? ofCall) =>
        Later(startedAt, ofCall is { } timeout ? ToTimestamp(timeout) : _totalTimeout);

    /// <summary>The timestamp at which an attempt is over.</summary>
    /// <param name="ofCall">The timeout that the caller set for its attempts; null for none.</param>
    internal long AttemptEndFrom(long startedAt, long deadline, TimeSpan? ofCall) =>
        Math.Min(Later(startedAt, ofCall is { } timeout ? ToTimestamp(timeout) : _attemptTimeout), deadline);

    /// <summary>
    /// The timestamp at which the key of a call may have expired at the API; <see cref="long.MaxValue"/> for never.
    /// </summary>
    internal long KeyEndFrom(long startedAt) => _keyLifetime == long.MaxValue ? long.MaxValue : startedAt + _keyLifetime;

    /// <summary>Whether a key may have expired at the API.</summary>
    /// <param name="age">Since the key was first used.</param>
    internal bool KeyHasExpired(TimeSpan age) => age >= KeyLifetime;

    private TimeSpan? KeyLifetime { get; } = options.Idempotency.KeyLifetime;

    /// <summary>From <paramref name="now"/> to <paramref name="deadline"/>.</summary>
    internal TimeSpan Remaining(long now, long deadline) =>
        deadline == long.MaxValue ? TimeSpan.MaxValue : time.GetElapsedTime(now, deadline);

    /// <summary>The limit of hosts whose state is kept.</summary>
    internal int MaxHosts { get; } = options.CircuitBreaker.MaxCircuits;

    /// <summary>
    /// The Retry-After of a response in ticks of the clock, at most <c>Retry:MaxRetryAfter</c>; 0 when there is none, or it is ignored
    /// (<c>Retry:ShouldRetryAfterHeader</c>).
    /// </summary>
    internal long RetryAfterTicks(in AttemptResult result) => result.RetryAfter is { } asked && Retry.ShouldRetryAfterHeader
        ? ToTimestamp(asked < Retry.MaxRetryAfter ? asked : Retry.MaxRetryAfter)
        : 0;

    /// <summary>A duration in ticks of the clock, rounded up: a wait is never too short.</summary>
    internal long ToTimestamp(TimeSpan duration) => time.ToTicks(duration);

    private static TimeSpan BackstopOf(HttpResilienceOptions options)
    {
        if (options.TotalRequestTimeout.Timeout is not { } total)
            return Timeout.InfiniteTimeSpan;
        return (options.MaxTimeout > total ? options.MaxTimeout.Value : total) + TimeSpan.FromSeconds(1);
    }

    private static long Later(long timestamp, long ticks) => ticks < long.MaxValue - timestamp ? timestamp + ticks : long.MaxValue;

    private static long Ticks(TimeSpan? duration, TimeProvider time) => duration is { } d ? time.ToTicks(d) : long.MaxValue;
}
