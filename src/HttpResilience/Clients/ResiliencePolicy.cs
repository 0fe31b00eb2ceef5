using System.Net.Http.Headers;

namespace HttpResilience;

/// <summary>
/// An immutable snapshot of <see cref="HttpResilienceOptions"/>, made once per client and reload. Handlers read this, never options.
/// </summary>
internal sealed class ResiliencePolicy(string clientName, HttpResilienceOptions options, TimeProvider time)
{
    private readonly long _totalTimeout = Ticks(options.TotalRequestTimeout.Timeout, time);
    private readonly long _attemptTimeout = Ticks(options.AttemptTimeout.Timeout, time);
    private readonly long _keyLifetime = Ticks(options.Idempotency.KeyLifetime, time);
    private readonly RouteTable? _table = options.InRoutes.Count == 0 ? null : new([.. options.InRoutes.Select(r => r.Pattern!)]);
    private readonly ResiliencePolicy[] _routes = [.. options.InRoutes.Select(route => new ResiliencePolicy(clientName, route, time))];

    internal string ClientName => clientName;

    /// <summary>The pattern of the route that it is for; null for the calls of no route.</summary>
    internal string? Route { get; } = options.Route;

    internal bool HasRoutes => _table is not null;

    /// <summary>The policy itself and those of the routes.</summary>
    internal IEnumerable<ResiliencePolicy> WithRoutes => [this, .. _routes];

    /// <summary>The policy for a call: that of the most specific route.</summary>
    /// <param name="uri">That of the request.</param>
    /// <param name="baseAddress">That of the client.</param>
    internal ResiliencePolicy For(HttpMethod method, Uri? uri, Uri? baseAddress)
    {
        if (_table is null || uri is not { IsAbsoluteUri: true })
            return this;
        string basePath = baseAddress is { IsAbsoluteUri: true } ? baseAddress.AbsolutePath : "";
        return _table.Find(method.Method, uri.AbsolutePath, basePath) is >= 0 and var index ? _routes[index] : this;
    }

    internal TimeProvider Time => time;

    /// <summary>Ends with a slash; without it relative URIs would replace the last segment of the path.</summary>
    internal Uri? BaseAddress { get; } = options.BaseAddress is not { } uri || uri.AbsolutePath.EndsWith('/') ? options.BaseAddress
        : new UriBuilder(uri) { Path = uri.AbsolutePath + "/" }.Uri;

    internal TimeSpan? TotalRequestTimeout { get; } = options.TotalRequestTimeout.Timeout;

    /// <summary>The <see cref="HttpClient.Timeout"/> of a client for which the application sets none.</summary>
    internal TimeSpan Backstop { get; } = LongestTotalOf(options) is { } longest ? longest + TimeSpan.FromSeconds(1)
        : Timeout.InfiniteTimeSpan;

    /// <summary>
    /// The longest time that a call of the client can take: the largest of its total timeout, those of its routes, and MaxTimeout; null
    /// for any.
    /// </summary>
    internal TimeSpan? LongestTotal { get; } = LongestTotalOf(options);

    internal TimeSpan? AttemptTimeout { get; } = options.AttemptTimeout.Timeout;

    /// <summary>Attempts end earlier where their host is usually much faster.</summary>
    internal bool LearnsAttemptTimeout { get; } = options.AttemptTimeout.Learn;

    /// <inheritdoc cref="HttpResilienceOptions.LongestAttempt"/>
    internal TimeSpan? LongestAttempt { get; } = options.LongestAttempt;

    internal RetryPolicy Retry { get; } = RetryPolicy.From(options.Retry, time.TimestampFrequency);

    internal CircuitPolicy? CircuitBreaker { get; } = CircuitPolicy.From(options.CircuitBreaker, time.TimestampFrequency);

    /// <summary>A circuit of the client does not only observe, for the calls of this policy or of a route.</summary>
    internal bool ClientHasActiveCircuit { get; } =
        AllOf(options).Any(o => CircuitPolicy.From(o.CircuitBreaker, time.TimestampFrequency) is { OnlyObserves: false });

    internal RateLimiterPolicy? RateLimiter { get; } = RateLimiterPolicy.From(options.RateLimiter);

    internal ConcurrencyPolicy? Concurrency { get; } = ConcurrencyPolicy.From(options.Concurrency, time.TimestampFrequency);

    internal bool IsConcurrencyAdaptive => Concurrency is not null;

    internal IdempotencyPolicy? Idempotency { get; } = IdempotencyPolicy.From(options.Idempotency);

    internal FallbackPolicy? Fallback { get; } = FallbackPolicy.From(options.Fallback);

    /// <summary>The client has a cache of responses, for the calls of this policy or of a route.</summary>
    internal bool ClientHasFallback { get; } = AllOf(options).Any(o => o.Fallback.Enabled);

    internal DeadLetterPolicy? DeadLetter { get; } = DeadLetterPolicy.From(options.DeadLetter);

    /// <summary>
    /// The dead letters of the client; null when neither it nor a route has any. How they are stored does not differ per route.
    /// </summary>
    internal DeadLetterPolicy? ClientDeadLetter { get; } =
        AllOf(options).Any(o => o.DeadLetter.Enabled) ? new((options.OfClient ?? options).DeadLetter) : null;

    internal HedgingPolicy? Hedging { get; } = HedgingPolicy.From(options.Hedging);

    /// <summary>Null for an API with one endpoint, or as many as the application asks.</summary>
    internal EndpointsPolicy? Endpoints { get; } = EndpointsPolicy.From(options.Endpoints);

    /// <summary>
    /// A key that an endpoint has seen keeps the request from being processed twice wherever it is sent later: not where endpoints do not
    /// share keys, because a later call does not know which one has seen it.
    /// </summary>
    internal bool KeyHoldsLater => Endpoints is not { SharesKeys: false };

    internal QuotaPolicy? Quota { get; } = QuotaPolicy.From(options.Quota);

    /// <summary>The chain has a stage that reads the quotas of every response.</summary>
    internal bool ReadsQuotas => Quota?.Reader is not null;

    /// <summary>It has none, and <c>RateLimit</c> is read all the same.</summary>
    internal bool PausesOnRateLimit => Quota is { PausesOnSuccess: true, Reader: null };

    /// <summary>The response rejects a request for a limit, though its status is not 429.</summary>
    internal bool IsRejectedForQuota(int status, HttpResponseHeaders headers) => Quota?.Reader?.Rejects(status, headers) is true;

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

    /// <summary>
    /// How long a quota that is used up is closed, in ticks of the clock; 0 when it is not, or hints are ignored. A time within the window
    /// that the API documents is believed; a longer one is shortened to <c>Retry:MaxRetryAfter</c>.
    /// </summary>
    internal long QuotaTicks(TimeSpan? asked) =>
        asked is { } time && time > TimeSpan.Zero && Retry.ShouldRetryAfterHeader ? ToTimestamp(Believed(time)) : 0;

    /// <summary>A time until a reset, as far as it is believed.</summary>
    internal TimeSpan Believed(TimeSpan time) =>
        time <= Retry.MaxRetryAfter || time <= Quota?.Reader?.Longest ? time : Retry.MaxRetryAfter;

    /// <summary>A duration in ticks of the clock, rounded up: a wait is never too short.</summary>
    internal long ToTimestamp(TimeSpan duration) => time.ToTicks(duration);

    private static TimeSpan? LongestTotalOf(HttpResilienceOptions options)
    {
        TimeSpan?[] totals = [.. AllOf(options).Select(o => o.TotalRequestTimeout.Timeout)];
        return totals.Contains(null) ? null : totals.Append(options.MaxTimeout).Max();
    }

    private static IEnumerable<HttpResilienceOptions> AllOf(HttpResilienceOptions options) =>
        options.OfClient is { } client ? AllOf(client) : [options, .. options.InRoutes];

    private static long Later(long timestamp, long ticks) => ticks < long.MaxValue - timestamp ? timestamp + ticks : long.MaxValue;

    private static long Ticks(TimeSpan? duration, TimeProvider time) => duration is { } d ? time.ToTicks(d) : long.MaxValue;
}
