namespace HttpResilience;

/// <summary>
/// When calls to a failing host are rejected without being sent, and for how long. Section <c>CircuitBreaker</c>. One circuit for each
/// scheme, host and port.
/// </summary>
public sealed class CircuitBreakerOptions
{
    /// <summary>How many failures in a row open the circuit. Null (not by this rule), or 1 or more; default 5.</summary>
    public int? FailureThreshold { get; set; } = 5;

    /// <summary>
    /// How long a row of <see cref="FailureThreshold"/> failures must last, from its first to its last, to open the circuit: at 1,000 calls
    /// a second five failures in 5 ms are a hiccup. A failure of an attempt that began before the latest success began does not count. Null
    /// (no minimum, and every failure counts), or 0 to 1 day; default 1 s.
    /// </summary>
    public TimeSpan? FailureDuration { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The share of attempts in <see cref="SamplingDuration"/> that must fail to open the circuit. Null (not by this rule), or 0 to 1;
    /// default 0.9.
    /// </summary>
    public double? FailureRatio { get; set; } = 0.9;

    /// <summary>
    /// How many attempts <see cref="SamplingDuration"/> must hold before <see cref="FailureRatio"/> counts. 1 or more; default 100.
    /// </summary>
    public int MinimumThroughput { get; set; } = 100;

    /// <summary>The time over which <see cref="FailureRatio"/> is taken. 10 ms to 1 day; default 30 s.</summary>
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the circuit stays open the first time. Null (the stage is off), or 1 ms to 1 day; default 1 s.</summary>
    public TimeSpan? BreakDuration { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Each break that follows a failed probe is twice as long as the one before, up to this; breaks that begin within <see
    /// cref="MaxWait"/> of the first one do not grow. Null (breaks do not grow), or 1 ms to 1 day; default 10 s.
    /// </summary>
    public TimeSpan? MaxBreakDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a call may wait, over all its attempts, for a circuit to close instead of failing at once, and as long again for its turn
    /// afterwards. It waits only for a break that in its whole length is not longer, and not beyond its deadline. Null (no call waits; a
    /// call that meets an open circuit fails at once), or 1 ms to 1 day; default 5 s.
    /// </summary>
    public TimeSpan? MaxWait { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many calls to one host may wait at once. Further calls fail at once while the circuit is open, and are sent at once while those
    /// that have waited are being released. 0 or more; default 100.
    /// </summary>
    public int MaxWaiting { get; set; } = 100;

    /// <summary>
    /// Whether an open circuit acts, or only reports what it would do. Default <see cref="CircuitMode.Enforce"/>.
    /// </summary>
    public CircuitMode Mode { get; set; } = CircuitMode.Enforce;

    /// <summary>How many attempts a half-open circuit lets through at once. 1 or more; default 1.</summary>
    public int HalfOpenProbes { get; set; } = 1;

    /// <summary>How many probes must succeed to close the circuit. 1 or more; default 1.</summary>
    public int SuccessThreshold { get; set; } = 1;

    /// <summary>An attempt that takes at least this long is a slow one. Null (not by this rule), or 1 ms to 1 day; default null.</summary>
    public TimeSpan? SlowCallDuration { get; set; }

    /// <summary>
    /// The share of attempts in <see cref="SamplingDuration"/> that must be slow to open the circuit, once there are <see
    /// cref="MinimumThroughput"/> of them. 0 to 1; default 1.
    /// </summary>
    public double SlowCallRatio { get; set; } = 1;

    /// <summary>
    /// Whether calls on behalf of a tenant have a circuit of their own beside the host's. Default <see
    /// cref="CircuitIsolation.AuthorityAndTenant"/>.
    /// </summary>
    public CircuitIsolation Isolation { get; set; } = CircuitIsolation.AuthorityAndTenant;

    /// <summary>
    /// How many circuits are kept; above that, the closed ones that were used least recently are forgotten. 1 or more; default 10000.
    /// </summary>
    public int MaxCircuits { get; set; } = 10_000;

    internal static OptionKeys<CircuitBreakerOptions> Keys => new OptionKeys<CircuitBreakerOptions>()
        .OptionalInteger(nameof(FailureThreshold), o => o.FailureThreshold, (o, v) => o.FailureThreshold = v, 1, int.MaxValue)
        .OptionalDuration(nameof(FailureDuration), o => o.FailureDuration, (o, v) => o.FailureDuration = v,
            TimeSpan.Zero, TimeSpan.FromDays(1))
        .OptionalNumber(nameof(FailureRatio), o => o.FailureRatio, (o, v) => o.FailureRatio = v, 0, 1)
        .Integer(nameof(MinimumThroughput), o => o.MinimumThroughput, (o, v) => o.MinimumThroughput = v, 1, int.MaxValue)
        .Duration(nameof(SamplingDuration), o => o.SamplingDuration, (o, v) => o.SamplingDuration = v,
            TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1))
        .OptionalDuration(nameof(BreakDuration), o => o.BreakDuration, (o, v) => o.BreakDuration = v,
            TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .OptionalDuration(nameof(MaxBreakDuration), o => o.MaxBreakDuration, (o, v) => o.MaxBreakDuration = v,
            TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .OptionalDuration(nameof(MaxWait), o => o.MaxWait, (o, v) => o.MaxWait = v,
            TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Integer(nameof(MaxWaiting), o => o.MaxWaiting, (o, v) => o.MaxWaiting = v, 0, int.MaxValue)
        .Choice(nameof(Mode), o => o.Mode, (o, v) => o.Mode = v)
        .Integer(nameof(HalfOpenProbes), o => o.HalfOpenProbes, (o, v) => o.HalfOpenProbes = v, 1, int.MaxValue)
        .Integer(nameof(SuccessThreshold), o => o.SuccessThreshold, (o, v) => o.SuccessThreshold = v, 1, int.MaxValue)
        .OptionalDuration(nameof(SlowCallDuration), o => o.SlowCallDuration, (o, v) => o.SlowCallDuration = v,
            TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Number(nameof(SlowCallRatio), o => o.SlowCallRatio, (o, v) => o.SlowCallRatio = v, 0, 1)
        .Choice(nameof(Isolation), o => o.Isolation, (o, v) => o.Isolation = v)
        .Integer(nameof(MaxCircuits), o => o.MaxCircuits, (o, v) => o.MaxCircuits = v, 1, int.MaxValue)
        .Ignored("Name");
}
