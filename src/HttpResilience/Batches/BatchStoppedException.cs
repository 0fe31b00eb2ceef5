namespace HttpResilience;

/// <summary>
/// A batch has stopped before its end while its results were read (<see cref="BatchStopReason"/>): there are no further results.
/// </summary>
/// <param name="report">The outcome of the batch.</param>
public sealed class BatchStoppedException(BatchReport report) : Exception($"The batch has stopped before its end: {report}.")
{
    /// <summary>The outcome of the batch.</summary>
    public BatchReport Report { get; } = report;
}
