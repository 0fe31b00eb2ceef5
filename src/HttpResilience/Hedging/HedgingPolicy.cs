namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="HedgingOptions"/>.</summary>
internal sealed class HedgingPolicy(HedgingOptions options)
{
    internal TimeSpan Delay { get; } = options.Delay;

    internal int MaxHedgedAttempts { get; } = options.MaxHedgedAttempts;

    internal static HedgingPolicy? From(HedgingOptions options) => options.Enabled ? new(options) : null;
}
