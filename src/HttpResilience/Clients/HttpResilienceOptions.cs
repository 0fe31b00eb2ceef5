using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

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
    /// the longest of this, <see cref="MaxTimeout"/> and the totals of <see cref="Routes"/>, because <see cref="HttpClient"/> reads the
    /// body after the chain has ended; a value that the application sets stays.
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

    /// <summary>Whether the limit of concurrent attempts to a host finds itself. Off by default.</summary>
    public ConcurrencyOptions Concurrency { get; } = new();

    /// <summary>How POST and PATCH are made safe to repeat.</summary>
    public IdempotencyOptions Idempotency { get; } = new();

    /// <summary>Whether a read that fails is answered with the last good response. Off by default.</summary>
    public FallbackOptions Fallback { get; } = new();

    /// <summary>Whether requests that finally fail are kept. Off by default.</summary>
    public DeadLetterOptions DeadLetter { get; } = new();

    /// <summary>Whether a request that is slow to be answered is sent a second time. Off by default.</summary>
    public HedgingOptions Hedging { get; } = new();

    /// <summary>The endpoints of an API that has several. None by default.</summary>
    public EndpointsOptions Endpoints { get; } = new();

    /// <summary>What the client does with the quotas that the API reports.</summary>
    public QuotaOptions Quota { get; } = new();

    /// <summary>How many of the calls may fail, and whether the integration is paused when more do.</summary>
    public ErrorBudgetOptions ErrorBudget { get; } = new();

    /// <summary>The log of calls.</summary>
    public RequestLoggingOptions Logging { get; } = new();

    /// <summary>Faults that are injected on purpose, for staging. Off by default.</summary>
    public ChaosOptions Chaos { get; } = new();

    /// <summary>
    /// What differs for some calls: by a method, or none for all, and a path, such as <c>POST /exports/*</c>, in which <c>*</c> stands for
    /// one segment, and <c>**</c> at the end for all that follow. The most specific route applies, over the options of the client and under
    /// the settings of the call. In code, what the options of the route are set to, over what the configuration says of the same route.
    /// Default: none.
    /// </summary>
    public IDictionary<string, Action<HttpResilienceOptions>> Routes { get; } =
        new Dictionary<string, Action<HttpResilienceOptions>>(StringComparer.Ordinal);

    /// <summary>The configuration values that could not be read; reported together with the range errors.</summary>
    internal List<string> BindingProblems { get; } = [];

    /// <summary>What is odd but valid in the configuration; reported as warnings.</summary>
    internal List<string> Notes { get; } = [];

    internal static OptionKeys<HttpResilienceOptions> Keys { get; } = new OptionKeys<HttpResilienceOptions>()
        .OptionalUri(nameof(BaseAddress), o => o.BaseAddress, (o, v) => o.BaseAddress = v)
        .Section(nameof(TotalRequestTimeout), o => o.TotalRequestTimeout, TimeoutOptions.Keys, o => o.Timeout = null,
            "TotalRequestTimeout:Timeout: null")
        .OptionalDuration(
            nameof(MaxTimeout), o => o.MaxTimeout, (o, v) => o.MaxTimeout = v, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Section(nameof(AttemptTimeout), o => o.AttemptTimeout, TimeoutOptions.KeysOfAttempt, o => o.Timeout = null,
            "AttemptTimeout:Timeout: null")
        .Section(nameof(Retry), o => o.Retry, RetryOptions.Keys, o => o.MaxRetryAttempts = 0, "Retry:MaxRetryAttempts: 0")
        .Section(nameof(CircuitBreaker), o => o.CircuitBreaker, CircuitBreakerOptions.Keys, o => o.BreakDuration = null,
            "CircuitBreaker:BreakDuration: null")
        .OptionalSection(
            nameof(RateLimiter), o => o.RateLimiter, o => o.RateLimiter ??= new(), o => o.RateLimiter = null, RateLimiterOptions.Keys)
        .Section(nameof(Concurrency), o => o.Concurrency, ConcurrencyOptions.Keys, o => o.Mode = ConcurrencyMode.Off,
            "Concurrency:Mode: Off")
        .Section(nameof(Idempotency), o => o.Idempotency, IdempotencyOptions.Keys, o => o.Enabled = false,
            "Idempotency:Enabled: false")
        .Section(nameof(Fallback), o => o.Fallback, FallbackOptions.Keys, o => o.Enabled = false, "Fallback:Enabled: false")
        .Section(nameof(DeadLetter), o => o.DeadLetter, DeadLetterOptions.Keys, o => o.Enabled = false, "DeadLetter:Enabled: false")
        .Section(nameof(Hedging), o => o.Hedging, HedgingOptions.Keys, o => o.Enabled = false, "Hedging:Enabled: false")
        .Section(nameof(Endpoints), o => o.Endpoints, EndpointsOptions.Keys, o => o.Uris = [], "Endpoints:Uris: []")
        .Section(nameof(Quota), o => o.Quota, QuotaOptions.Keys,
            "Leave it out for the default, or write Quota:OnSuccess: Off to have quotas of successes ignored.")
        .Section(nameof(ErrorBudget), o => o.ErrorBudget, ErrorBudgetOptions.Keys,
            "Leave it out for the default, or write ErrorBudget:PauseAtBurn: null to pause nothing.")
        .Section(nameof(Logging), o => o.Logging, RequestLoggingOptions.Keys,
            "Leave it out for the default, or write Logging:Level: Debug to log failed calls only.")
        .Section(nameof(Chaos), o => o.Chaos, ChaosOptions.Keys, o => o.Enabled = false, "Chaos:Enabled: false")
        .SectionPerRoute(nameof(Routes), o => o.RouteSections);

    /// <summary>What the configuration says of routes.</summary>
    internal RouteSections RouteSections { get; } = new();

    /// <summary>The values as they were read from the configuration, by their paths; code may have changed them since.</summary>
    internal IReadOnlyDictionary<string, object?> Read { get; private set; } = new Dictionary<string, object?>();

    /// <summary>Where the configuration has the options.</summary>
    internal OptionPath Path { get; private set; }

    /// <summary>Reads a section of the configuration over what has been read so far.</summary>
    /// <param name="configuration">The configuration of the section, where it is known.</param>
    internal void Bind(IConfigurationSection section, OptionSource source, IConfiguration? configuration = null)
    {
        RouteSections.Source = source;
        Bind(section, source, new OptionReport(BindingProblems, section.Path, () => Keys.Paths)
        {
            Notes = Notes,
            Synonyms = OptionSynonyms.Paths,
            Sources = [.. (configuration as IConfigurationRoot)?.Providers ?? []],
        });
    }

    internal void Bind(IConfigurationSection section, OptionSource source, OptionReport report)
    {
        (TimeoutOptions Timeout, OptionSource Before)[] timeouts =
            [(TotalRequestTimeout, TotalRequestTimeout.Source), (AttemptTimeout, AttemptTimeout.Source)];
        foreach (var (timeout, _) in timeouts)
            timeout.Source = OptionSource.BuiltIn;
        Keys.Bind(this, section, report);
        foreach (var (timeout, before) in timeouts)
            timeout.Source = timeout.Source == OptionSource.Code ? source : before;
    }

    /// <summary>The configuration has been read; code comes next.</summary>
    /// <param name="path">Where it has the options.</param>
    internal void EndBinding(OptionPath path) => (Path, Read) = (path, Keys.ValuesOf(this).ToDictionary(StringComparer.OrdinalIgnoreCase));

    /// <summary>
    /// The problem of an attempt timeout that is longer than the total timeout and set at the same level, so that it has no effect. Where
    /// only the total timeout is set, attempts end with it.
    /// </summary>
    internal string? ProblemOfTimeouts(OptionPath path)
    {
        if (!(AttemptTimeout.Timeout > TotalRequestTimeout.Timeout) || AttemptTimeout.Source != TotalRequestTimeout.Source
            || AttemptTimeout.Source == OptionSource.BuiltIn)
            return null;
        string attempt = path.Below(nameof(AttemptTimeout)).Of(nameof(TimeoutOptions.Timeout));
        string total = path.Below(nameof(TotalRequestTimeout)).Of(nameof(TimeoutOptions.Timeout));
        return $"{attempt} is {OptionPath.Show(AttemptTimeout.Timeout)}; it must not be longer than {total}, which is "
            + $"{OptionPath.Show(TotalRequestTimeout.Timeout)}. Leave it out to have attempts end with the total.";
    }

    /// <summary>The chain and the main settings in one line.</summary>
    internal string Chain => ChainDescription.Of(this);

    internal bool HasEndpoints => Endpoints.Uris.Count > 0;

    /// <summary>No calls go to the base address, because it is not one of the endpoints.</summary>
    internal bool LeavesOutBaseAddress => OfClient is null && HasEndpoints && BaseAddress is { } own
        && !Endpoints.Uris.Any(uri => new HttpAuthority(new(uri)).Equals(new(own)));

    /// <summary>How long an attempt may take: it ends with its call. Null: without end.</summary>
    internal TimeSpan? LongestAttempt
    {
        get
        {
            var call = MaxTimeout > TotalRequestTimeout.Timeout ? MaxTimeout : TotalRequestTimeout.Timeout;
            return AttemptTimeout.Timeout is not { } attempt || attempt > call ? call : attempt;
        }
    }

    /// <summary>Why the options could not be read.</summary>
    internal static string ProblemsOf(Exception exception) =>
        exception is OptionsValidationException { Failures: var failures } ? string.Join(" ", failures) : exception.SafeMessage;

    /// <summary>Where a value was written; of a route, only what differs for it.</summary>
    internal OptionSource SourceOf(string key, object? value) => key switch
    {
        _ when OfClient is { } client => Path.SourceOf(key) is not OptionSource.BuiltIn and var source ? source
            : Equals(Keys.ValueOf(client, key), value) ? OptionSource.BuiltIn : OptionSource.Code,
        $"{nameof(TotalRequestTimeout)}:{nameof(TimeoutOptions.Timeout)}" => TotalRequestTimeout.Source,
        $"{nameof(AttemptTimeout)}:{nameof(TimeoutOptions.Timeout)}" => AttemptTimeout.Source,
        _ => Read.TryGetValue(key, out object? read) && Equals(read, value) ? Path.SourceOf(key) : OptionSource.Code,
    };

    /// <summary>The full path of a key: of a route, when it is written there, else of its client.</summary>
    internal string PathOf(string key) => OfClient is { } client && SourceOf(key, Keys.ValueOf(this, key)) is OptionSource.BuiltIn
        ? client.Path.Of(key) : Path.Of(key);

    /// <summary>The options of the client, when these are those of a route.</summary>
    internal HttpResilienceOptions? OfClient { get; private init; }

    /// <summary>The route as it was written; null when these are the options of a client.</summary>
    internal string? Route => Pattern?.Written;

    /// <summary>The pattern of the route; null when these are the options of a client.</summary>
    internal RoutePattern? Pattern { get; private init; }

    /// <summary>The options of each route once they are made.</summary>
    internal IReadOnlyList<HttpResilienceOptions>? RoutesMade { get; set; }

    /// <summary>The values that differ from those of the client, by their keys; none unless these are the options of a route.</summary>
    internal IEnumerable<(string Key, object? Value)> Differences
    {
        get
        {
            (string Key, object? Value)[] here = [.. Keys.ValuesOf(this)], ofClient = [.. Keys.ValuesOf(OfClient ?? this)];
            // A key of a section that only the client has: the route switches the section off.
            return here.Except(ofClient)
                .Concat(ofClient.ExceptBy(here.Select(v => v.Key), v => v.Key).Select(v => (v.Key, (object?)null)));
        }
    }

    /// <summary>The same options for a route, before what differs.</summary>
    internal HttpResilienceOptions ForRoute(RoutePattern pattern)
    {
        var route = new HttpResilienceOptions
        {
            OfClient = this,
            Pattern = pattern,
            Path = Path.Below(nameof(Routes)).Below(pattern.Written),
        };
        Keys.Copy(this, route);
        route.DeadLetter.RetentionIsSet = DeadLetter.RetentionIsSet;
        (route.TotalRequestTimeout.Source, route.AttemptTimeout.Source) = (OptionSource.BuiltIn, OptionSource.BuiltIn);
        return route;
    }
}
