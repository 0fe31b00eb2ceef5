namespace HttpResilience;

/// <summary>The options of a batch.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class BatchOptions<T>
{
    /// <summary>
    /// The name of a recurring batch, the same for each of its runs: observers are notified when a run has completed
    /// (<see cref="CallObserver.BatchFinished"/>), and the alert rule <c>BatchStalled</c> fires when none has for longer than usual.
    /// Default null: not observed.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>
    /// The container whose observers are notified that the batch has completed, and in whose log a Warning says that all records were
    /// skipped, because a run with the name of the checkpoint has processed them. Default null: the observers of the containers whose
    /// clients its records called. Set it for a batch that may have nothing to send, and therefore calls no client.
    /// </summary>
    public IServiceProvider? Services { get; set; }

    /// <summary>The number of records processed at once. 1 to 1000; default 4.</summary>
    public int MaxParallelism { get; set; } = 4;

    /// <summary>
    /// Gives the scope of the calls of a record: key, tenant, tags. Gets the record and its index, from 0. Default: only the tag
    /// <c>recordIndex</c>, which is added in any case.
    /// </summary>
    public Func<T, long, HttpCallScopeOptions>? Scope { get; set; }

    /// <summary>
    /// The timeout of a record, after which it has failed and the next one starts. Null (none), or 1 ms to 30 days; default 10 minutes.
    /// </summary>
    public TimeSpan? RecordTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long records whose calls are rejected before anything is sent (open circuit, paused host) are delayed and tried again, from the
    /// first rejection since a call last reached the host. After it, the record has failed, and another run tries it again; after five such
    /// records in a row, the batch stops. 0 or more; default 1 minute.
    /// </summary>
    public TimeSpan OutageTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The batch stops when more records than this have failed. Null (never), or 0 or more; default null.</summary>
    public long? MaxFailures { get; set; }

    /// <summary>
    /// Stops the batch at a failure for which it returns true, as if the failure were the same for all records: the next run tries the
    /// record again. An exception ends the run. Default: none.
    /// </summary>
    public Func<BatchFailure, bool>? StopWhen { get; set; }

    /// <summary>The maximum number of failures that the report lists; it counts all. 0 or more; default 1000.</summary>
    public int MaxReportedFailures { get; set; } = 1000;

    /// <summary>The number of records, for <see cref="BatchProgress.TimeLeft"/>. Default: the count of a source that has one.</summary>
    public long? Total { get; set; }

    /// <summary>Gets the progress of the batch, at most ten times a second, and at the end. Default: none.</summary>
    public IProgress<BatchProgress>? Progress { get; set; }

    /// <summary>Stores the progress of the batch, so that the next run continues a run that was killed. Default: none.</summary>
    public BatchCheckpoint? Checkpoint { get; set; }

    /// <summary>The clock. Default: the system clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxParallelism, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxParallelism, 1000);
        if (RecordTimeout is { } timeout)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.FromMilliseconds(1), nameof(RecordTimeout));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(timeout, TimeSpan.FromDays(30), nameof(RecordTimeout));
        }

        ArgumentNullException.ThrowIfNull(TimeProvider);
        if (Checkpoint is not null)
        {
            ArgumentNullException.ThrowIfNull(Checkpoint.Store);
            ArgumentException.ThrowIfNullOrEmpty(Checkpoint.Name);
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(OutageTimeout, TimeSpan.Zero);
        if (MaxFailures is { } most)
            ArgumentOutOfRangeException.ThrowIfNegative(most, nameof(MaxFailures));
        ArgumentOutOfRangeException.ThrowIfNegative(MaxReportedFailures);
    }
}

/// <summary>The place where the progress of a batch is stored.</summary>
/// <param name="Store">The durable store, from the container (<c>AddHttpResilienceStorage</c>).</param>
/// <param name="Name">
/// The name of the batch: a run of this name continues where the last one ended, with the same records in the same order. Include what
/// distinguishes sources, such as the name of the file and a hash of its content.
/// </param>
/// <param name="Mode">How the next run treats failed records. Default: it tries them again.</param>
public sealed record BatchCheckpoint(ICheckpointStore Store, string Name, CheckpointMode Mode = CheckpointMode.LastContiguousSuccess);

/// <summary>How far a checkpoint advances.</summary>
public enum CheckpointMode
{
    /// <summary>
    /// To just before the first failed record: the next run tries all failed records again, and no record that succeeded.
    /// </summary>
    LastContiguousSuccess,

    /// <summary>Past failed records: each is stored with its reason, and the next run skips it.</summary>
    AdvanceAndDeadLetter,
}
