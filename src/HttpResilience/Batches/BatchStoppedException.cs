namespace HttpResilience;

/// <summary>A batch whose results were being read has stopped before its end (<see cref="BatchStopReason"/>): there are no further results.</summary>
/// <param name="report">What became of the batch.</param>
public sealed class BatchStoppedException(BatchReport report) : Exception($"The batch has stopped before its end: {report}.")
{
    /// <summary>What became of the batch.</summary>
    public BatchReport Report { get; } = report;
}
