namespace HttpResilience.Storage;

/// <summary>
/// Stores dead letters. A change is durable when the task of its method completes: it survives a crash of the process and a power failure.
/// All members may be called from many threads, processes and, where the store can be shared, machines at once. A cancelled call may or may
/// not have taken effect. Times are stored in UTC and truncated to microseconds; in texts NUL and unpaired surrogates become U+FFFD.
/// </summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface IDeadLetterStore
{
    /// <summary>Stores a new letter.</summary>
    /// <returns>False when a letter with this id exists: it stays unchanged.</returns>
    Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken);

    /// <summary>The letter with this id; null when there is none.</summary>
    /// <exception cref="HttpResilienceStorageException">
    /// The letter cannot be read: it may come from a newer version or a manual edit.
    /// </exception>
    Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>A page of letters, newest first. Letters that this version cannot read are omitted and logged as a Warning.</summary>
    Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// A page of letters among a number of letters, newest first: it takes about the same time whether any is found or none. Letters that
    /// this version cannot read are omitted and logged as a Warning.
    /// </summary>
    /// <param name="query">
    /// The filter. <see cref="DeadLetterQuery.Status"/> and <see cref="DeadLetterQuery.Fingerprint"/>, which have indexes, choose the
    /// letters that are looked through, from <see cref="DeadLetterQuery.Before"/> on.
    /// </param>
    /// <param name="atMost">How many letters are looked through at most. 1 or more.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken);

    /// <summary>
    /// Claims letters, the longest due first, that are pending and due, or whose worker's lease has expired. They become <see
    /// cref="DeadLetterStatus.InProgress"/>, are due at the end of the lease, and their version is incremented. No letter is claimed twice.
    /// A letter with an expired lease may have been processed (<see cref="DeadLetter.MayHaveBeenProcessed"/>) and loses its resolution; its
    /// <see cref="DeadLetter.Replays"/> are incremented, and so are its <see cref="DeadLetter.Takeovers"/> below 2: the third is counted
    /// when the letter is sent. A letter that this version cannot read, or that the store cannot change, becomes <see
    /// cref="DeadLetterStatus.RequiresReview"/> instead, is logged as an Error, and stays otherwise unchanged; a failure of the database or
    /// want of memory sets no letter aside.
    /// </summary>
    Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the new status of a letter, if its version is still the one the change was based on; the stored version is incremented. The
    /// request itself (client, method, URI, header fields, body, key, tenant, tags, first failure, the letter it replaces) stays unchanged:
    /// other data makes another letter (<see cref="LetterCommit"/>).
    /// </summary>
    /// <param name="letter">The changed letter, with the version as it was read.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>False when the letter has changed meanwhile or is gone: nothing was changed.</returns>
    Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken);

    /// <summary>
    /// Makes changes together: each letter and the job as <see cref="UpdateAsync"/>, each new letter as <see cref="AddAsync"/>, and the
    /// pause and the activity, in one transaction.
    /// </summary>
    /// <returns>
    /// False when one of the letters, the job or the pause has changed meanwhile or is gone, or a new one is there already: nothing was
    /// changed.
    /// </returns>
    Task<bool> CommitAsync(LetterCommit commit, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes letters that were settled before a time: their last failure, and the time at which they were replayed, resolved or
    /// resubmitted, were before it. It runs in portions, so that other changes do not wait for the whole.
    /// </summary>
    /// <param name="query">The filter; its page does not matter.</param>
    /// <param name="before">The time.</param>
    /// <param name="cancellationToken">Stops; letters that are deleted by then stay deleted.</param>
    /// <returns>The number of deleted letters.</returns>
    Task<int> PurgeAsync(DeadLetterQuery query, DateTimeOffset before, CancellationToken cancellationToken) =>
        PurgeAsync(query, before, activity: null, cancellationToken);

    /// <inheritdoc cref="PurgeAsync(DeadLetterQuery, DateTimeOffset, CancellationToken)"/>
    /// <param name="activity">
    /// What is written down, with the number of letters deleted so far, in the transaction of each portion; null for nothing. It is not
    /// written when no letter is deleted.
    /// </param>
    Task<int> PurgeAsync(DeadLetterQuery query, DateTimeOffset before, OperatorActivity? activity, CancellationToken cancellationToken);

    /// <summary>
    /// The letters that <see cref="PurgeAsync(DeadLetterQuery, DateTimeOffset, CancellationToken)"/> would delete.
    /// </summary>
    /// <param name="query">The filter; its page does not matter.</param>
    /// <param name="before">The time.</param>
    /// <param name="atMost">Where the count ends. 1 or more.</param>
    /// <param name="cancellationToken">Cancels the count.</param>
    Task<SettledLetters> CountSettledAsync(DeadLetterQuery query, DateTimeOffset before, int atMost, CancellationToken cancellationToken);

    /// <summary>Deletes all letters that were settled before a time.</summary>
    /// <param name="before">The time.</param>
    /// <param name="cancellationToken">Stops; letters that are deleted by then stay deleted.</param>
    /// <returns>The number of deleted letters.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => PurgeAsync(new(), before, cancellationToken);

    /// <summary>
    /// Whether settled letters are kept for ever unless <c>DeadLetter:Retention</c> is set: the store was created by a version that deleted
    /// none by itself.
    /// </summary>
    Task<bool> KeepsByDefaultAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The keys that letters wait for: those of <see cref="DeadLetter.ProtectedWith"/> of letters that require review with
    /// <see cref="LetterKeyMissingException.ActionOf"/> as suggested action. The cost grows with the number of keys, not of letters.
    /// </summary>
    Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken);

    /// <summary>Makes the letters pending that wait for a key (<see cref="MissingKeysAsync"/>), without a suggested action.</summary>
    /// <param name="keyId">The key.</param>
    /// <param name="dueAt">The time at which they are due.</param>
    /// <param name="cancellationToken">Stops; letters that are pending by then stay so.</param>
    /// <returns>The number of letters.</returns>
    Task<int> ReleaseAsync(string keyId, DateTimeOffset dueAt, CancellationToken cancellationToken);

    /// <summary>
    /// The number of letters of each known status that has any, and the earliest due time of a pending letter: of the letters of the
    /// store's own application and those of none.
    /// </summary>
    Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The open letters (pending, in progress, requiring review) that match, by their cause: those groups whose last failure is the latest.
    /// </summary>
    /// <param name="query">The filter; its page and its status do not matter.</param>
    /// <param name="limit">How many groups at most. 1 or more.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Gives letters of older versions of the store what it keeps beside letters now (<see cref="DeadLetter.Fingerprint"/>). It runs in
    /// portions, so that other changes do not wait for the whole, and changes no letter that another process changes meanwhile.
    /// </summary>
    /// <param name="cancellationToken">Stops; what is done by then stays done.</param>
    /// <returns>The number of letters.</returns>
    Task<int> CompleteAsync(CancellationToken cancellationToken) => Task.FromResult(0);

    /// <summary>
    /// The destinations of letters that are pending or in progress, of every application. The cost grows with the number of destinations,
    /// not of letters.
    /// </summary>
    Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Verifies that a letter can be stored now: commits a letter of 4 KiB as <see cref="AddAsync"/> does and deletes it in the same
    /// transaction, so that no operation returns it. It ends within 4 s, with the reason when it fails.
    /// </summary>
    Task ProbeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Waits until a letter has been added or made pending, by any process, since the last call, or until the time is over. It may end
    /// sooner, as the first call does: the caller then looks for letters.
    /// </summary>
    Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken);
}
