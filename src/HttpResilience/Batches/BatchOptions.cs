namespace HttpResilience;

/// <summary>How a batch is run.</summary>
/// <typeparam name="T">What a record is.</typeparam>
public sealed class BatchOptions<T>
{
    /// <summary>
    /// Names a batch that is run again and again, the same for each of its runs: observers hear when a run has completed (<see cref="CallObserver.BatchFinished"/>), and
    /// the alert rule <c>BatchStalled</c> fires when none has for longer than usual. Default null: not observed.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>
    /// The container whose observers hear that the batch has completed. Default null: the containers whose clients its records called. Set it for a batch that may
    /// have nothing to send, which no client can tell of.
    /// </summary>
    public IServiceProvider? Services { get; set; }

    /// <summary>How many records are worked on at once. 1 to 1000; default 4.</summary>
    public int MaxParallelism { get; set; } = 4;

    /// <summary>
    /// What is said about the calls that a record makes: key, tenant, tags. Gets the record and its index, from 0. Default: nothing but a tag
    /// <c>recordIndex</c>, which is added to what this returns as well.
    /// </summary>
    public Func<T, long, HttpCallScopeOptions>? Scope { get; set; }

    /// <summary>How long a record may take; then it has failed, and the next one takes its place. Null (as long as it likes), or 1 ms to 30 days; default 10 minutes.</summary>
    public TimeSpan? RecordTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long records whose calls are rejected before anything is sent (open circuit, paused host) are held back and tried again. Counted from the first rejection
    /// since something last got through to the host. When it is over, the record has failed, and another run tries it again; when that happens to five records in a
    /// row, the batch stops. 0 or more; default 1 minute.
    /// </summary>
    public TimeSpan OutageTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The batch stops when more records than this have failed. Null (never), or 0 or more; default null.</summary>
    public long? MaxFailures { get; set; }

    /// <summary>
    /// The batch stops at a failure for which this returns true, as if it were one that is the same for all: the next run tries the record again. What it throws ends
    /// the run. Default: none.
    /// </summary>
    public Func<BatchFailure, bool>? StopWhen { get; set; }

    /// <summary>How many failures the report lists; it counts all. 0 or more; default 1000.</summary>
    public int MaxReportedFailures { get; set; } = 1000;

    /// <summary>How many records there are, for <see cref="BatchProgress.TimeLeft"/>. Default: the count of a source that has one.</summary>
    public long? Total { get; set; }

    /// <summary>Hears how far the batch is: at most ten times a second, and at the end. Default: nobody.</summary>
    public IProgress<BatchProgress>? Progress { get; set; }

    /// <summary>Where it is kept how far the batch is, so that a run that was killed can be gone on with. Default: nowhere.</summary>
    public BatchCheckpoint? Checkpoint { get; set; }

    /// <summary>The clock. Default: the system's.</summary>
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

/// <summary>Where it is kept how far a batch is.</summary>
/// <param name="Store">The durable store, from the container (<c>AddHttpResilienceStorage</c>).</param>
/// <param name="Name">
/// Names the batch: a run of this name goes on where the last one ended, over the same records in the same order. Put what tells sources apart into it, such as the
/// name of the file and a hash of its content.
/// </param>
/// <param name="Mode">What becomes of records that failed when the batch is run again. Default: they are tried again.</param>
public sealed record BatchCheckpoint(ICheckpointStore Store, string Name, CheckpointMode Mode = CheckpointMode.LastContiguousSuccess);

/// <summary>How far a checkpoint advances.</summary>
public enum CheckpointMode
{
    /// <summary>To just before the first record that failed: the next run tries it, and others that failed, again. What succeeded behind it is not done twice.</summary>
    LastContiguousSuccess,

    /// <summary>Past records that failed: each is kept with its reason, and the next run leaves it alone.</summary>
    AdvanceAndDeadLetter,
}
