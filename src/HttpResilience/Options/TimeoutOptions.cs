namespace HttpResilience;

/// <summary>A timeout. Sections <c>TotalRequestTimeout</c> and <c>AttemptTimeout</c>.</summary>
public sealed class TimeoutOptions
{
    internal TimeoutOptions(TimeSpan timeout)
    {
        Timeout = timeout;
        Source = OptionSource.BuiltIn;
    }

    /// <summary>Null (no timeout), or 1 ms to 1 day. Default 100 s for the total of a call, 30 s for an attempt.</summary>
    public TimeSpan? Timeout
    {
        get;
        set => (field, Source) = (value, OptionSource.Code);
    }

    /// <summary>
    /// Of <c>AttemptTimeout</c> only: whether an attempt ends earlier where the host is usually much faster, at three times its 99.9th
    /// percentile of the last minutes, at least 1 s and never beyond <see cref="Timeout"/>, once 1,000 attempts are known. A timeout that
    /// the call sets itself stays. Default false.
    /// </summary>
    public bool Learn { get; set; }

    /// <summary>Where the timeout was set last.</summary>
    internal OptionSource Source { get; set; }

    internal static OptionKeys<TimeoutOptions> Keys => new OptionKeys<TimeoutOptions>()
        .OptionalDuration(nameof(Timeout), o => o.Timeout, (o, v) => o.Timeout = v, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Ignored("Name");

    internal static OptionKeys<TimeoutOptions> KeysOfAttempt => Keys.Boolean(nameof(Learn), o => o.Learn, (o, v) => o.Learn = v);
}
