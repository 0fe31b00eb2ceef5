namespace HttpResilience.Storage;

/// <summary>The stored progress of a batch.</summary>
/// <param name="Owner">The run that holds it.</param>
/// <param name="LeaseUntil">The end of the lease, unless it is renewed.</param>
/// <param name="Position">Every record before this index has been processed.</param>
/// <param name="Done">Processed records after the position, as ordered ranges that do not touch.</param>
public sealed record StoredCheckpoint(Guid Owner, DateTimeOffset LeaseUntil, long Position, IReadOnlyList<BatchRange> Done);

/// <summary>A range of records.</summary>
/// <param name="From">The index of the first record.</param>
/// <param name="To">The index after the last record.</param>
public readonly record struct BatchRange(long From, long To);

/// <summary>The progress of a batch to be stored.</summary>
public sealed record CheckpointUpdate
{
    /// <summary>The name of the batch.</summary>
    public required string Name { get; init; }

    /// <summary>The run that holds the batch.</summary>
    public required Guid Owner { get; init; }

    /// <summary>The end of the lease; a time in the past releases the batch.</summary>
    public required DateTimeOffset LeaseUntil { get; init; }

    /// <inheritdoc cref="StoredCheckpoint.Position"/>
    public required long Position { get; init; }

    /// <inheritdoc cref="StoredCheckpoint.Done"/>
    public required IReadOnlyList<BatchRange> Done { get; init; }

    /// <summary>What operators see of the run. Default null: what is stored stays.</summary>
    public CheckpointRun? Run { get; init; }

    /// <summary>Records that have failed since the last save; a failure already stored is replaced.</summary>
    public IReadOnlyList<BatchFailure> Failed { get; init; } = [];

    /// <summary>Records that failed in an earlier run and have succeeded now.</summary>
    public IReadOnlyList<long> Healed { get; init; } = [];
}
