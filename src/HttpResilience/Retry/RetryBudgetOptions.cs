namespace HttpResilience;

/// <summary>
/// How much retries may add to the load of a host that fails. Section <c>Retry:Budget</c>. Kept per scheme, host and port. A retry that
/// would go beyond it waits until the budget has room again, for at most <see cref="MaxWait"/>; else the call ends with <see
/// cref="StopReason.BudgetExhausted"/>.
/// </summary>
public sealed class RetryBudgetOptions
{
    /// <summary>
    /// How many retries there may be per call in <see cref="SamplingDuration"/>. Null (no budget), or 0 to 100; default 0.2.
    /// </summary>
    public double? RetryRatio { get; set; } = 0.2;

    /// <summary>The time over which calls and retries are counted. 10 ms to 1 day; default 10 s.</summary>
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many retries there may always be in <see cref="SamplingDuration"/>, however few the calls. 0 or more; default 10.
    /// </summary>
    public int MinimumThroughput { get; set; } = 10;

    /// <summary>
    /// How long a retry may wait, beyond its own delay and not beyond the deadline of the call, until the budget has room for it. Null (the
    /// call ends at once), or 1 ms to 1 day; default 10 s. At most <c>CircuitBreaker:MaxWaiting</c> calls to a host wait so.
    /// </summary>
    public TimeSpan? MaxWait { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether the budget stops retries, or only reports what it would stop. Default <see cref="LimitMode.Enforce"/>.
    /// </summary>
    public LimitMode Mode { get; set; } = LimitMode.Enforce;

    internal static OptionKeys<RetryBudgetOptions> Keys => new OptionKeys<RetryBudgetOptions>()
        .OptionalNumber(nameof(RetryRatio), o => o.RetryRatio, (o, v) => o.RetryRatio = v, 0, 100)
        .Duration(nameof(SamplingDuration), o => o.SamplingDuration, (o, v) => o.SamplingDuration = v,
            TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1))
        .Integer(nameof(MinimumThroughput), o => o.MinimumThroughput, (o, v) => o.MinimumThroughput = v, 0, int.MaxValue)
        .OptionalDuration(
            nameof(MaxWait), o => o.MaxWait, (o, v) => o.MaxWait = v, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Choice(nameof(Mode), o => o.Mode, (o, v) => o.Mode = v);
}
