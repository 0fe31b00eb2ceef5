namespace HttpResilience;

/// <summary>
/// A limit of concurrent attempts that finds itself. Section <c>Concurrency</c>. Kept per scheme, host and port, and for each tenant's part
/// of it where tenants have a circuit of their own (<c>CircuitBreaker:Isolation</c>). Attempts above it wait in their order; one that would
/// wait too long, or whose time is over before its turn comes, fails with <see cref="RateLimitedException"/>.
/// </summary>
public sealed class ConcurrencyOptions
{
    /// <summary>Whether there is such a limit. Default <see cref="ConcurrencyMode.Off"/>.</summary>
    public ConcurrencyMode Mode { get; set; } = ConcurrencyMode.Off;

    /// <summary>The limit does not fall below this. 1 or more; default 1.</summary>
    public int MinLimit { get; set; } = 1;

    /// <summary>The limit does not grow beyond this. 1 or more; default 200.</summary>
    public int MaxLimit { get; set; } = 200;

    internal bool IsOff => Mode is ConcurrencyMode.Off;

    internal static OptionKeys<ConcurrencyOptions> Keys => new OptionKeys<ConcurrencyOptions>()
        .Choice(nameof(Mode), o => o.Mode, (o, v) => o.Mode = v)
        .Integer(nameof(MinLimit), o => o.MinLimit, (o, v) => o.MinLimit = v, 1, int.MaxValue)
        .Integer(nameof(MaxLimit), o => o.MaxLimit, (o, v) => o.MaxLimit = v, 1, int.MaxValue);
}
