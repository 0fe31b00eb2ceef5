namespace HttpResilience;

/// <summary>The review of dead letters by a person: list, correct, replay or resolve them.</summary>
/// <exception cref="KeyNotFoundException">There is no letter with the id.</exception>
/// <exception cref="InvalidOperationException">The letter is being sent at this moment, or is already settled.</exception>
/// <exception cref="DeadLetterChangedException">
/// The letter is no longer at the version that the person has seen (<c>expectedVersion</c>). It was not changed.
/// </exception>
/// <exception cref="HttpResilienceStorageException">The store fails.</exception>
public interface IDeadLetterReview
{
    /// <summary>A page of letters, newest first. Letters that this version cannot read are omitted and logged as a Warning.</summary>
    Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken = default);

    /// <summary>
    /// A step of a search, newest first: it looks through a number of letters only, and takes about the same time whether any is found or
    /// none.
    /// </summary>
    /// <param name="query">
    /// The filter. <see cref="DeadLetterQuery.Status"/> and <see cref="DeadLetterQuery.Fingerprint"/> choose the letters that are looked
    /// through, from <see cref="DeadLetterQuery.Before"/> on.
    /// </param>
    /// <param name="atMost">How many letters are looked through at most. 1 or more; default 50,000.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost = 50_000, CancellationToken cancellationToken = default);

    /// <summary>
    /// The open letters (pending, in progress, requiring review) that match, by their cause: those groups whose last failure is the latest.
    /// </summary>
    /// <param name="query">The filter; its page and its status do not matter.</param>
    /// <param name="limit">How many groups at most. 1 or more; default 200.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(
        DeadLetterQuery query, int limit = 200, CancellationToken cancellationToken = default);

    /// <summary>The number of letters of this application by status.</summary>
    Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The letters that no live process will replay: no process with <c>AddDeadLetterReplay</c> that was seen within 30 seconds
    /// replays letters of their application, or none of those processes has their client, for instance because it was renamed. A
    /// process that replays letters gets the letters of every application on the store, any other process those of its own application.
    /// </summary>
    Task<IReadOnlyList<UnreplayedLetters>> UnreplayedAsync(CancellationToken cancellationToken = default);

    /// <summary>The letter with this id; null when there is none.</summary>
    /// <exception cref="HttpResilienceStorageException">
    /// The letter cannot be read: it may come from a newer version or a manual edit.
    /// </exception>
    Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Replaces a letter by one with corrected data, pending and due at once. It gets a new idempotency key, as it is another operation.
    /// The old one becomes <see cref="DeadLetterStatus.Resubmitted"/>; each refers to the other.
    /// </summary>
    /// <param name="id">The letter to correct.</param>
    /// <param name="correct">Returns the letter with another body, URI, method or headers; other changes are ignored.</param>
    /// <param name="by">The person who requests it.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The new letter.</returns>
    /// <exception cref="ArgumentException">The corrected letter cannot be sent.</exception>
    Task<DeadLetter> ResubmitAsync(Guid id, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ResubmitAsync(Guid, Func{DeadLetter, DeadLetter}, string, CancellationToken)"/>
    /// <param name="expectedVersion">The version that the person has seen (<see cref="DeadLetter.Version"/>).</param>
    Task<DeadLetter> ResubmitAsync(
        Guid id, long expectedVersion, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ResubmitAsync(Guid, Func{DeadLetter, DeadLetter}, string, CancellationToken)"/>
    /// <param name="expectedVersion">The version that the person has seen (<see cref="DeadLetter.Version"/>).</param>
    /// <param name="delay">After which time the new letter is due: until then <see cref="CancelAsync"/> takes it back. 0 or more.</param>
    Task<DeadLetter> ResubmitAsync(
        Guid id, long expectedVersion, Func<DeadLetter, DeadLetter> correct, string by, TimeSpan delay,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a letter due now, unchanged and under its original key, regardless of the number of its replays and the age of the key. A
    /// process with <c>AddDeadLetterReplay</c> sends it.
    /// </summary>
    Task<DeadLetter> ReplayAsync(Guid id, string by, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ReplayAsync(Guid, string, CancellationToken)"/>
    /// <param name="expectedVersion">The version that the person has seen (<see cref="DeadLetter.Version"/>).</param>
    Task<DeadLetter> ReplayAsync(Guid id, long expectedVersion, string by, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ReplayAsync(Guid, string, CancellationToken)"/>
    /// <param name="expectedVersion">The version that the person has seen (<see cref="DeadLetter.Version"/>).</param>
    /// <param name="delay">After which time the letter is due: until then <see cref="CancelAsync"/> takes it back. 0 or more.</param>
    Task<DeadLetter> ReplayAsync(
        Guid id, long expectedVersion, string by, TimeSpan delay, CancellationToken cancellationToken = default);

    /// <summary>
    /// Replays a letter at once from this process, without a worker: for a tool that ends when the result is known. No worker claims the
    /// letter meanwhile.
    /// </summary>
    /// <param name="id">The letter.</param>
    /// <param name="by">The person who requests it.</param>
    /// <param name="cancellationToken">Cancels the call; the letter is then due again at once.</param>
    /// <returns>The letter after the replay: replayed, pending or requiring review.</returns>
    /// <exception cref="InvalidOperationException">
    /// Also when its client is not registered in this process, or does not store letters.
    /// </exception>
    Task<DeadLetter> SendAsync(Guid id, string by, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="SendAsync(Guid, string, CancellationToken)"/>
    /// <param name="expectedVersion">The version that the person has seen (<see cref="DeadLetter.Version"/>).</param>
    Task<DeadLetter> SendAsync(Guid id, long expectedVersion, string by, CancellationToken cancellationToken = default);

    /// <summary>Makes all matching letters due, spread evenly over time. Letters that are being sent or are settled are skipped.</summary>
    /// <param name="query">The filter; its page size does not matter.</param>
    /// <param name="perSecond">The number of letters due per second. Above 0, to 10,000.</param>
    /// <param name="by">The person who requests it.</param>
    /// <param name="progress">Gets the count so far after each page. Default: none.</param>
    /// <param name="cancellationToken">Stops; letters that are due by then stay due.</param>
    /// <returns>The number of letters.</returns>
    Task<int> ReplayManyAsync(
        DeadLetterQuery query, double perSecond, string by, IProgress<int>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>Records that a letter was settled in another way. It is not sent again.</summary>
    /// <param name="id">The letter.</param>
    /// <param name="action">The action, in a word or two.</param>
    /// <param name="notes">Free text; null when there is none.</param>
    /// <param name="by">The person who took it.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<DeadLetter> ResolveAsync(Guid id, string action, string? notes, string by, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ResolveAsync(Guid, string, string, string, CancellationToken)"/>
    /// <param name="expectedVersion">The version that the person has seen (<see cref="DeadLetter.Version"/>).</param>
    Task<DeadLetter> ResolveAsync(
        Guid id, long expectedVersion, string action, string? notes, string by, CancellationToken cancellationToken = default);

    /// <summary>Takes back that a letter was resolved: it is again what it was before.</summary>
    /// <param name="id">The letter.</param>
    /// <param name="expectedVersion">The version that the person has seen; null for any.</param>
    /// <param name="by">The person who takes it back.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="InvalidOperationException">The letter is not resolved.</exception>
    Task<DeadLetter> ReopenAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes back that a letter is to be sent again, before it is: it is again what it was before. Of a correction the new letter is
    /// resolved, and the old one is again what it was.
    /// </summary>
    /// <param name="id">The letter that is due; of a correction, the new one.</param>
    /// <param name="expectedVersion">The version that the person has seen; null for any.</param>
    /// <param name="by">The person who takes it back.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The letter that is again what it was.</returns>
    /// <exception cref="InvalidOperationException">
    /// The letter has been sent, is being sent, or waits for a replay that nobody asked for.
    /// </exception>
    Task<DeadLetter> CancelAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes letters that were settled (replayed, resolved, resubmitted) longer ago than <paramref name="olderThan"/>.
    /// </summary>
    /// <returns>The number of deleted letters.</returns>
    Task<int> PurgeAsync(TimeSpan olderThan, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes the matching letters that were settled longer ago than <paramref name="olderThan"/>, such as those of a tenant who has left.
    /// Letters that wait or require review are not deleted: resolve them first.
    /// </summary>
    /// <param name="query">The filter; its page does not matter.</param>
    /// <param name="olderThan">The age. 0 or more.</param>
    /// <param name="cancellationToken">Stops; letters that are deleted by then stay deleted.</param>
    /// <returns>The number of deleted letters.</returns>
    Task<int> PurgeAsync(DeadLetterQuery query, TimeSpan olderThan, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="PurgeAsync(DeadLetterQuery, TimeSpan, CancellationToken)"/>
    /// <param name="by">The person who asks for it; it is written down.</param>
    Task<int> PurgeAsync(DeadLetterQuery query, TimeSpan olderThan, string by, CancellationToken cancellationToken = default);

    /// <summary>
    /// The letters that <see cref="PurgeAsync(DeadLetterQuery, TimeSpan, CancellationToken)"/> would delete.
    /// </summary>
    /// <param name="query">The filter; its page does not matter.</param>
    /// <param name="olderThan">The age. 0 or more.</param>
    /// <param name="atMost">Where the count ends. 1 or more; default 10,001.</param>
    /// <param name="cancellationToken">Cancels the count.</param>
    Task<SettledLetters> CountSettledAsync(
        DeadLetterQuery query, TimeSpan olderThan, int atMost = 10_001, CancellationToken cancellationToken = default);

    /// <summary>
    /// The keys of protected letters that are missing: their letters are kept, require review, and are due again when the key is back.
    /// </summary>
    Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken = default);
}
