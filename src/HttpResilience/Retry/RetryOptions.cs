namespace HttpResilience;

/// <summary>When a failed attempt is repeated, and after what wait. Section <c>Retry</c>.</summary>
public sealed class RetryOptions
{
    /// <summary>How many attempts may follow the first. 0 or more; default 3. 0 switches retries off.</summary>
    public int MaxRetryAttempts { get; set; } = 3;

    /// <summary>How the wait grows. Default <see cref="BackoffType.Exponential"/>.</summary>
    public BackoffType BackoffType { get; set; } = BackoffType.Exponential;

    /// <summary>The wait before the first retry. 0 to 1 day; default 1 s.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The longest backoff, before jitter. Null (no cap), or 0 to 1 day; default 60 s. A wait that the server asks for is bounded by <see
    /// cref="MaxRetryAfter"/> instead.
    /// </summary>
    public TimeSpan? MaxDelay { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The factor by which the wait grows from retry to retry when the backoff is exponential. 1 to 10; default 2.</summary>
    public double BackoffFactor { get; set; } = 2;

    /// <summary>Whether waits are spread at random. Default true.</summary>
    public bool UseJitter { get; set; } = true;

    /// <summary>How waits are spread when <see cref="UseJitter"/> is set.</summary>
    public JitterOptions Jitter { get; } = new();

    /// <summary>Whether <c>Retry-After</c> and similar headers (RFC 9110 §10.2.3) are obeyed. Default true.</summary>
    public bool ShouldRetryAfterHeader { get; set; } = true;

    /// <summary>
    /// The longest wait that a server may ask for; if the server asks for more, the call ends at once. 0 to 1 day; default 5 min.
    /// </summary>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether POST and PATCH are repeated when they may have been processed. Default <see cref="UnsafeMethods.WhenKeyed"/>.
    /// </summary>
    public UnsafeMethods UnsafeMethods { get; set; } = UnsafeMethods.WhenKeyed;

    /// <summary>
    /// The methods that may be repeated at all: a list without PUT and DELETE keeps them from being sent twice, also by a replay of a
    /// letter that may have been processed. Null (all) or HTTP methods; default null. Configuration replaces the whole list.
    /// </summary>
    public IList<string>? Methods { get; set; }

    /// <summary>
    /// Methods of the API that may be repeated although they may have been processed, as GET, PUT and DELETE are: the effect of several
    /// identical requests is that of one (RFC 9110 §9.2.2). The methods that IANA's registry calls idempotent need no entry. HTTP methods;
    /// default empty. Configuration replaces the whole list.
    /// </summary>
    public IList<string> IdempotentMethods { get; set; } = [];

    /// <summary>How much retries may add to the load of a host that fails.</summary>
    public RetryBudgetOptions Budget { get; } = new();

    /// <summary>
    /// The longest request body that is recorded in memory while it is sent, so that it can be sent again, when its content can be written
    /// only once. A longer one is streamed once. 0 to 2147483647 bytes; default 1048576 (1 MiB).
    /// </summary>
    public int MaxReplayBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// The memory that the recorded bodies of a client's calls hold at the same time. A body beyond it is streamed once, as one longer than
    /// <see cref="MaxReplayBodyBytes"/>. 0 to 2147483647 bytes; default 268435456 (256 MiB).
    /// </summary>
    public int MaxReplayBytesInFlight { get; set; } = 256 * 1024 * 1024;

    /// <summary>
    /// Whether the body of a success is read inside the attempt, so that a body that breaks off is retried too. Costs the memory of the
    /// body and takes streaming away. Default false.
    /// </summary>
    public bool IncludeResponseBody { get; set; }

    /// <summary>
    /// Overrides for single statuses (400 to 599). A status that is not retried by default, such as 404, is retried when <see
    /// cref="RetryStatusOptions.MaxRetryAttempts"/> is set for it.
    /// </summary>
    public IDictionary<int, RetryStatusOptions> Statuses { get; } = new Dictionary<int, RetryStatusOptions>();

    internal static OptionKeys<RetryOptions> Keys => new OptionKeys<RetryOptions>()
        .Integer(nameof(MaxRetryAttempts), o => o.MaxRetryAttempts, (o, v) => o.MaxRetryAttempts = v, 0, int.MaxValue)
        .Choice(nameof(BackoffType), o => o.BackoffType, (o, v) => o.BackoffType = v)
        .Duration(nameof(Delay), o => o.Delay, (o, v) => o.Delay = v, TimeSpan.Zero, TimeSpan.FromDays(1))
        .OptionalDuration(nameof(MaxDelay), o => o.MaxDelay, (o, v) => o.MaxDelay = v, TimeSpan.Zero, TimeSpan.FromDays(1))
        .Number(nameof(BackoffFactor), o => o.BackoffFactor, (o, v) => o.BackoffFactor = v, 1, 10)
        .Boolean(nameof(UseJitter), o => o.UseJitter, (o, v) => o.UseJitter = v)
        .Section(nameof(Jitter), o => o.Jitter, JitterOptions.Keys, o => o.Mode = JitterMode.None, "Retry:UseJitter: false")
        .Boolean(nameof(ShouldRetryAfterHeader), o => o.ShouldRetryAfterHeader, (o, v) => o.ShouldRetryAfterHeader = v)
        .Duration(nameof(MaxRetryAfter), o => o.MaxRetryAfter, (o, v) => o.MaxRetryAfter = v, TimeSpan.Zero, TimeSpan.FromDays(1))
        .Choice(nameof(UnsafeMethods), o => o.UnsafeMethods, (o, v) => o.UnsafeMethods = v)
        .OptionalTokens(nameof(Methods), o => o.Methods, (o, v) => o.Methods = v)
        .Tokens(nameof(IdempotentMethods), o => o.IdempotentMethods, (o, v) => o.IdempotentMethods = v)
        .Section(nameof(Budget), o => o.Budget, RetryBudgetOptions.Keys, o => o.RetryRatio = null, "Retry:Budget:RetryRatio: null")
        .Integer(nameof(MaxReplayBodyBytes), o => o.MaxReplayBodyBytes, (o, v) => o.MaxReplayBodyBytes = v, 0, int.MaxValue)
        .Integer(nameof(MaxReplayBytesInFlight), o => o.MaxReplayBytesInFlight, (o, v) => o.MaxReplayBytesInFlight = v, 0, int.MaxValue)
        .Boolean(nameof(IncludeResponseBody), o => o.IncludeResponseBody, (o, v) => o.IncludeResponseBody = v)
        .SectionPerStatus(nameof(Statuses), o => o.Statuses, RetryStatusOptions.Keys)
        .Ignored("Name");
}

/// <summary>How waits are spread. Section <c>Retry:Jitter</c>.</summary>
public sealed class JitterOptions
{
    /// <summary>
    /// The form of the jitter. Default null: what Polly does for the same <see cref="RetryOptions.BackoffType"/>, that is
    /// <see cref="JitterMode.Decorrelated"/> for an exponential backoff and <see cref="JitterMode.Proportional"/> for the others.
    /// </summary>
    public JitterMode? Mode { get; set; }

    /// <summary>For <see cref="JitterMode.Proportional"/>: the largest deviation as a part of the delay. 0 to 1; default 0.25.</summary>
    public double Factor { get; set; } = 0.25;

    /// <summary>For <see cref="JitterMode.Additive"/>: the most that is added. 0 to 1 day; default 199 ms.</summary>
    public TimeSpan Maximum { get; set; } = TimeSpan.FromMilliseconds(199);

    internal static OptionKeys<JitterOptions> Keys => new OptionKeys<JitterOptions>()
        .OptionalChoice(nameof(Mode), o => o.Mode, (o, v) => o.Mode = v)
        .Number(nameof(Factor), o => o.Factor, (o, v) => o.Factor = v, 0, 1)
        .Duration(nameof(Maximum), o => o.Maximum, (o, v) => o.Maximum = v, TimeSpan.Zero, TimeSpan.FromDays(1));
}

/// <summary>
/// The options for one status. Section <c>Retry:Statuses:&lt;status&gt;</c>. Null keeps the value that applies to the other statuses.
/// </summary>
public sealed class RetryStatusOptions
{
    /// <summary>
    /// How many attempts may follow the first. Null, or 0 or more; default null. A status for which it is 1 or more is retried.
    /// </summary>
    public int? MaxRetryAttempts { get; set; }

    /// <summary>The wait before the first retry. Null, or 0 to 1 day; default null.</summary>
    public TimeSpan? Delay { get; set; }

    /// <summary>
    /// The failure class of the status, which decides whether it is retried and counts against the circuit: <c>RateLimited</c> for an API
    /// that limits with 403, <c>Conflict</c> for 412, <c>None</c> for a 404 that is an answer, <c>Transient</c> for a 503 with
    /// <c>Retry-After</c> that may have been processed. Null (as built in), or any but <c>Cancelled</c>; default null.
    /// </summary>
    public FailureClass? FailureClass { get; set; }

    /// <summary>The factor for the delay. 0 to 1000; default 1.</summary>
    public double DelayMultiplier { get; set; } = 1;

    internal static OptionKeys<RetryStatusOptions> Keys => new OptionKeys<RetryStatusOptions>()
        .OptionalInteger(nameof(MaxRetryAttempts), o => o.MaxRetryAttempts, (o, v) => o.MaxRetryAttempts = v, 0, int.MaxValue)
        .OptionalDuration(nameof(Delay), o => o.Delay, (o, v) => o.Delay = v, TimeSpan.Zero, TimeSpan.FromDays(1))
        .OptionalChoice(nameof(FailureClass), o => o.FailureClass, (o, v) => o.FailureClass = v,
            except: HttpResilience.FailureClass.Cancelled)
        .Number(nameof(DelayMultiplier), o => o.DelayMultiplier, (o, v) => o.DelayMultiplier = v, 0, 1000);
}
