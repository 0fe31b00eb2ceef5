namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="ConcurrencyOptions"/>.</summary>
/// <param name="MinLimit">At most <paramref name="MaxLimit"/>.</param>
/// <param name="ShortWait">
/// How long an attempt may wait at a host whose attempts have waited for so long, in timestamp ticks: 1 s.
/// </param>
internal sealed record ConcurrencyPolicy(int MinLimit, int MaxLimit, long ShortWait)
{
    /// <param name="frequency">Timestamp ticks per second.</param>
    internal static ConcurrencyPolicy? From(ConcurrencyOptions options, long frequency) => options.IsOff ? null
        : new(Math.Min(options.MinLimit, options.MaxLimit), options.MaxLimit, frequency);
}
