namespace HttpResilience;

/// <summary>
/// Keeps how far batches are. What a method has done is durable when its task completes. All members may be called from many threads and processes at once.
/// Times are kept in whole microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">Every member throws it when the store cannot be reached, is full, or is not one of ours.</exception>
public interface ICheckpointStore
{
    /// <summary>
    /// Takes a batch for a run, or renews its lease. A name that is not known is a batch of which nothing is done. One that another run has, and whose lease has not
    /// ended, is left to it: <see cref="StoredCheckpoint.Owner"/> is the other's.
    /// </summary>
    Task<StoredCheckpoint> BeginAsync(string name, Guid owner, DateTimeOffset now, DateTimeOffset leaseUntil, CancellationToken cancellationToken);

    /// <summary>Keeps how far the batch is, and the failures since the last time, all or nothing.</summary>
    /// <returns>False when the batch is no longer the owner's: nothing was done.</returns>
    Task<bool> SaveAsync(CheckpointUpdate update, CancellationToken cancellationToken);

    /// <summary>The failures that are kept, by index.</summary>
    /// <param name="after">The index behind which the list begins; null for its beginning.</param>
    /// <param name="limit">How many at most. 1 or more.</param>
    Task<IReadOnlyList<BatchFailure>> FailuresAsync(string name, long? after, int limit, CancellationToken cancellationToken);

    /// <summary>Forgets a batch and its failures.</summary>
    /// <returns>False when there was none of the name.</returns>
    Task<bool> DeleteAsync(string name, CancellationToken cancellationToken);
}
