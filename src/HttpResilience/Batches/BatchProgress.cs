namespace HttpResilience;

/// <summary>The progress of a batch.</summary>
/// <param name="Succeeded">The number of records that have succeeded in this run.</param>
/// <param name="Failed">The number of records that have failed in this run.</param>
/// <param name="Skipped">The number of records that an earlier run has processed.</param>
/// <param name="Total">The number of records; null when it is unknown.</param>
/// <param name="Elapsed">The time since the run began.</param>
public sealed record BatchProgress(long Succeeded, long Failed, long Skipped, long? Total, TimeSpan Elapsed)
{
    /// <summary>The number of records done: succeeded, failed and skipped.</summary>
    public long Done => Succeeded + Failed + Skipped;

    /// <summary>The number of records that this run has processed per second.</summary>
    public double PerSecond => Elapsed > TimeSpan.Zero ? (Succeeded + Failed) / Elapsed.TotalSeconds : 0;

    /// <summary>The estimated time for the remaining records; null when it cannot be estimated.</summary>
    public TimeSpan? TimeLeft =>
        Total is { } total && PerSecond > 0 && (total - Done) / PerSecond is var seconds and < 1e9
            ? TimeSpan.FromSeconds(Math.Max(0, seconds)) : null;
}
