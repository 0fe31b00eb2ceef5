namespace HttpResilience;

/// <summary>
/// All options of one named client. Read from <c>HttpResilience:Defaults</c>, over that <c>HttpResilience:Clients:&lt;name&gt;</c>, over
/// that the delegate in code. The keys that <c>Microsoft.Extensions.Http.Resilience</c> has keep its names and nesting.
/// </summary>
public sealed class HttpResilienceOptions
{
    /// <summary>
    /// The base of relative request URIs: an absolute http or https URI, or a name of service discovery such as
    /// <c>https+http://catalog</c>. Default null: the address that the client's own code sets.
    /// </summary>
    public Uri? BaseAddress { get; set; }

    /// <summary>
    /// How long a call may take, all attempts and waits included. Default 100 s. <see cref="HttpClient.Timeout"/> is one second longer than
    /// this and <see cref="MaxTimeout"/>, because <see cref="HttpClient"/> reads the body after the chain has ended; a value that the
    /// application sets stays.
    /// </summary>
    public TimeoutOptions TotalRequestTimeout { get; } = new(TimeSpan.FromSeconds(100));

    /// <summary>
    /// The longest timeout that a single call (<c>request.WithTimeout</c>) or scope (<see cref="HttpCallScopeOptions.Timeout"/>) may ask
    /// for when that is more than <see cref="TotalRequestTimeout"/>. Null (no more than that), or 1 ms to 1 day; default null.
    /// </summary>
    public TimeSpan? MaxTimeout { get; set; }

    /// <summary>How long one attempt may take, up to the response headers. Default 30 s.</summary>
    public TimeoutOptions AttemptTimeout { get; } = new(TimeSpan.FromSeconds(30));

    /// <summary>When a failed attempt is repeated, and after what wait.</summary>
    public RetryOptions Retry { get; } = new();

    /// <summary>When calls to a failing host are rejected without being sent.</summary>
    public CircuitBreakerOptions CircuitBreaker { get; } = new();

    /// <summary>How many attempts may go to one host, at once and in a time. Default null: no limit.</summary>
    public RateLimiterOptions? RateLimiter { get; set; }

    /// <summary>How POST and PATCH are made safe to repeat.</summary>
    public IdempotencyOptions Idempotency { get; } = new();

    /// <summary>Whether a read that fails is answered with the last good response. Off by default.</summary>
    public FallbackOptions Fallback { get; } = new();

    /// <summary>Whether requests that finally fail are kept. Off by default.</summary>
    public DeadLetterOptions DeadLetter { get; } = new();

    /// <summary>Whether a request that is slow to be answered is sent a second time. Off by default.</summary>
    public HedgingOptions Hedging { get; } = new();

    /// <summary>How many of the calls may fail, and whether the integration is paused when more do.</summary>
    public ErrorBudgetOptions ErrorBudget { get; } = new();

    /// <summary>The log of calls.</summary>
    public RequestLoggingOptions Logging { get; } = new();

    /// <summary>Faults that are injected on purpose, for staging. Off by default.</summary>
    public ChaosOptions Chaos { get; } = new();

    /// <summary>The configuration values that could not be read; reported together with the range errors.</summary>
    internal List<string> BindingProblems { get; } = [];

    internal static OptionKeys<HttpResilienceOptions> Keys { get; } = new OptionKeys<HttpResilienceOptions>()
        .OptionalUri(nameof(BaseAddress), o => o.BaseAddress, (o, v) => o.BaseAddress = v)
        .Section(nameof(TotalRequestTimeout), o => o.TotalRequestTimeout, TimeoutOptions.Keys)
        .OptionalDuration(
            nameof(MaxTimeout), o => o.MaxTimeout, (o, v) => o.MaxTimeout = v, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Section(nameof(AttemptTimeout), o => o.AttemptTimeout, TimeoutOptions.Keys)
        .Section(nameof(Retry), o => o.Retry, RetryOptions.Keys)
        .Section(nameof(CircuitBreaker), o => o.CircuitBreaker, CircuitBreakerOptions.Keys)
        .OptionalSection(nameof(RateLimiter), o => o.RateLimiter, o => o.RateLimiter ??= new(), RateLimiterOptions.Keys)
        .Section(nameof(Idempotency), o => o.Idempotency, IdempotencyOptions.Keys)
        .Section(nameof(Fallback), o => o.Fallback, FallbackOptions.Keys)
        .Section(nameof(DeadLetter), o => o.DeadLetter, DeadLetterOptions.Keys)
        .Section(nameof(Hedging), o => o.Hedging, HedgingOptions.Keys)
        .Section(nameof(ErrorBudget), o => o.ErrorBudget, ErrorBudgetOptions.Keys)
        .Section(nameof(Logging), o => o.Logging, RequestLoggingOptions.Keys)
        .Section(nameof(Chaos), o => o.Chaos, ChaosOptions.Keys);
}
