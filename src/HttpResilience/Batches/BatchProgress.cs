namespace HttpResilience;

/// <summary>How far a batch is.</summary>
/// <param name="Succeeded">How many records have succeeded in this run.</param>
/// <param name="Failed">How many have failed in this run.</param>
/// <param name="Skipped">How many an earlier run had done.</param>
/// <param name="Total">How many there are; null when that is not known.</param>
/// <param name="Elapsed">Since the run began.</param>
public sealed record BatchProgress(long Succeeded, long Failed, long Skipped, long? Total, TimeSpan Elapsed)
{
    /// <summary>How many records are behind us.</summary>
    public long Done => Succeeded + Failed + Skipped;

    /// <summary>How many this run has worked on per second.</summary>
    public double PerSecond => Elapsed > TimeSpan.Zero ? (Succeeded + Failed) / Elapsed.TotalSeconds : 0;

    /// <summary>How long the rest takes if it goes on like this; null when that cannot be told.</summary>
    public TimeSpan? TimeLeft => Total is { } total && PerSecond > 0 && (total - Done) / PerSecond is var seconds and < 1e9 ? TimeSpan.FromSeconds(Math.Max(0, seconds)) : null;
}
