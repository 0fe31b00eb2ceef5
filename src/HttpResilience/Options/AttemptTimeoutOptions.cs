namespace HttpResilience;

/// <summary>How long an attempt may take. Section <c>AttemptTimeout</c>.</summary>
public sealed class AttemptTimeoutOptions : TimeoutOptions
{
    internal AttemptTimeoutOptions(TimeSpan timeout)
        : base(timeout)
    {
    }

    /// <summary>
    /// Whether an attempt ends earlier where the host is usually much faster: at three times its 99.9th percentile of the last minutes, at
    /// least 1 s and never beyond <see cref="TimeoutOptions.Timeout"/>, once 1,000 attempts are known. A timeout that the call sets itself
    /// stays. Default false.
    /// </summary>
    public bool Learn { get; set; }

    internal static new OptionKeys<AttemptTimeoutOptions> Keys => new OptionKeys<AttemptTimeoutOptions>()
        .OptionalDuration(nameof(Timeout), o => o.Timeout, (o, v) => o.Timeout = v, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Boolean(nameof(Learn), o => o.Learn, (o, v) => o.Learn = v)
        .Ignored("Name");
}
