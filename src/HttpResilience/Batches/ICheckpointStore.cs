namespace HttpResilience;

/// <summary>
/// Stores the progress of batches. A change is durable when the task of its method completes. All members may be called from many threads
/// and processes at once. Times are truncated to microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface ICheckpointStore
{
    /// <summary>
    /// Claims a batch for a run, or renews its lease. An unknown name is a new batch. A batch that another run holds under a valid lease
    /// stays with it: <see cref="StoredCheckpoint.Owner"/> is the other run.
    /// </summary>
    Task<StoredCheckpoint> BeginAsync(
        string name, Guid owner, DateTimeOffset now, DateTimeOffset leaseUntil, CancellationToken cancellationToken);

    /// <summary>Stores the progress of the batch and the failures since the last save, atomically.</summary>
    /// <returns>False when the owner no longer holds the batch: nothing was changed.</returns>
    Task<bool> SaveAsync(CheckpointUpdate update, CancellationToken cancellationToken);

    /// <summary>The stored failures, by index.</summary>
    /// <param name="after">The index after which the list begins; null for its beginning.</param>
    /// <param name="limit">The maximum number. 1 or more.</param>
    Task<IReadOnlyList<BatchFailure>> FailuresAsync(string name, long? after, int limit, CancellationToken cancellationToken);

    /// <summary>The batches of the store's own application and of none, the last saved first.</summary>
    /// <param name="limit">The maximum number. 1 or more.</param>
    Task<IReadOnlyList<StoredBatch>> ListAsync(int limit, CancellationToken cancellationToken);

    /// <summary>The batch with this name; null when there is none.</summary>
    Task<StoredBatch?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>Deletes a batch and its failures.</summary>
    /// <returns>False when no batch has the name.</returns>
    Task<bool> DeleteAsync(string name, CancellationToken cancellationToken);
}
