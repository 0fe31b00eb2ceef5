namespace HttpResilience;

/// <summary>A timeout. Section <c>TotalRequestTimeout</c>, and part of <c>AttemptTimeout</c>.</summary>
public class TimeoutOptions
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

    /// <summary>Where the timeout was set last.</summary>
    internal OptionSource Source { get; set; }

    internal static OptionKeys<TimeoutOptions> Keys => new OptionKeys<TimeoutOptions>()
        .OptionalDuration(nameof(Timeout), o => o.Timeout, (o, v) => o.Timeout = v, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1))
        .Ignored("Name");
}
