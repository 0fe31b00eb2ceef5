namespace HttpResilience.Storage;

/// <summary>
/// Keeps dead letters. What a method has done is durable when its task completes: it outlives the death of the process and of the machine's power. All members
/// may be called from many threads, processes and, where the store can be shared, machines at once. A caller who cancels does not know whether it was done.
/// Times are kept in UTC and in whole microseconds, what is finer is cut off; in texts NUL and halves of surrogate pairs become U+FFFD.
/// </summary>
/// <exception cref="HttpResilienceStorageException">Every member throws it when the store cannot be reached, is full, or is not one of ours.</exception>
public interface IDeadLetterStore
{
    /// <summary>Keeps a new letter.</summary>
    /// <returns>False when there is a letter with this id already: it is left as it is.</returns>
    Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken);

    /// <summary>The letter with this id; null when there is none.</summary>
    /// <exception cref="HttpResilienceStorageException">There is one that this version cannot read: a newer one or a hand has written it.</exception>
    Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>A page of letters, newest first. Those that this version cannot read are left out, which is logged as a Warning.</summary>
    Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Hands out letters, the longest due first, that are pending and due, or in the hands of a worker whose lease has ended. They become
    /// <see cref="DeadLetterStatus.InProgress"/>, due when the lease ends, one version on. No letter is given to two at once.
    /// One that comes from a worker whose lease has ended may have been processed by that (<see cref="DeadLetter.MayHaveBeenProcessed"/>), and has no resolution any more.
    /// One that this version cannot read becomes <see cref="DeadLetterStatus.RequiresReview"/> instead, which is logged as an Error, and stays as it is.
    /// </summary>
    Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken);

    /// <summary>
    /// Writes down where a letter is on its way, if it is still of the version that the change was made on; the stored version is one more. What was asked for
    /// (client, method, URI, header fields, body, key, tenant, tags, first failure, what it replaces) stays as it was kept: other data is another letter
    /// (<see cref="ReplaceAsync"/>).
    /// </summary>
    /// <param name="letter">The changed letter, with the version as it was read.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when the letter has been changed meanwhile or is gone: nothing was done.</returns>
    Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken);

    /// <summary>Changes a letter as <see cref="UpdateAsync"/> and keeps a new one, both or neither.</summary>
    /// <returns>False when the letter has been changed meanwhile or is gone: nothing was done.</returns>
    /// <exception cref="HttpResilienceStorageException">There is a letter with the id of the new one already.</exception>
    Task<bool> ReplaceAsync(DeadLetter letter, DeadLetter replacement, CancellationToken cancellationToken);

    /// <summary>Deletes letters that are done with (replayed, resolved, resubmitted) and failed last before a time.</summary>
    /// <returns>How many.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken);

    /// <summary>How many letters there are of each status that has any and that this version knows, and since when the longest due one is.</summary>
    Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Waits until a letter has been added or made pending, by anyone, since the last call, or until the time is over. It may end sooner, as the first call does:
    /// whoever has waited looks.
    /// </summary>
    Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken);
}
