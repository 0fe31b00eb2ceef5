namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="HedgingOptions"/>.</summary>
internal sealed class HedgingPolicy(HedgingOptions options)
{
    // Until the host's own is known.
    private static readonly TimeSpan Initial = TimeSpan.FromMilliseconds(500);

    /// <summary>The delay is that of the host.</summary>
    internal bool LearnsDelay { get; } = options.Delay is null;

    /// <summary>The delay where that of the host is not known, or not asked for.</summary>
    internal TimeSpan Delay { get; } = options.Delay ?? Initial;

    internal int MaxHedgedAttempts { get; } = options.MaxHedgedAttempts;

    internal static HedgingPolicy? From(HedgingOptions options) => options.Enabled ? new(options) : null;
}
