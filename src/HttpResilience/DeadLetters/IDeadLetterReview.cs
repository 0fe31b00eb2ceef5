namespace HttpResilience;

/// <summary>What a person does with dead letters: looks through them, corrects and sends them again, or says what else was done.</summary>
/// <exception cref="KeyNotFoundException">There is no letter with the id.</exception>
/// <exception cref="InvalidOperationException">The letter is being sent at this moment, or is done with.</exception>
/// <exception cref="HttpResilienceStorageException">The store fails.</exception>
public interface IDeadLetterReview
{
    /// <summary>A page of letters, newest first. Those that this version cannot read are left out, which is logged as a Warning.</summary>
    Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken = default);

    /// <summary>How many letters there are.</summary>
    Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>The letter with this id; null when there is none.</summary>
    /// <exception cref="HttpResilienceStorageException">There is one that this version cannot read: a newer one or a hand has written it.</exception>
    Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Sends corrected data in place of a letter: a new letter, pending and due at once, under a key of its own, since it is another operation. The old one becomes
    /// <see cref="DeadLetterStatus.Resubmitted"/>; each names the other.
    /// </summary>
    /// <param name="id">The letter that is corrected.</param>
    /// <param name="correct">Takes the letter as it is and returns it with another body, URI, method or headers; what else it changes does not count.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The new letter.</returns>
    /// <exception cref="ArgumentException">The correction is not one that can be sent.</exception>
    Task<DeadLetter> ResubmitAsync(Guid id, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken = default);

    /// <summary>
    /// Has a letter sent again as it is, now, under its original key, whatever the number of its replays and the age of the key. It is sent by a process that has
    /// <c>AddDeadLetterReplay</c>.
    /// </summary>
    Task<DeadLetter> ReplayAsync(Guid id, string by, CancellationToken cancellationToken = default);

    /// <summary>
    /// Sends a letter again as it is, at once and from this process, as <see cref="ReplayAsync"/> has a worker do: for a tool that ends when it has its answer. No
    /// worker is needed, and none takes the letter meanwhile.
    /// </summary>
    /// <param name="id">The letter.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="cancellationToken">Cuts it off; the letter is due again at once then.</param>
    /// <returns>What has become of it: replayed, or pending or for review once more.</returns>
    /// <exception cref="InvalidOperationException">Also: its client is not one of this process, or does not keep letters.</exception>
    Task<DeadLetter> SendAsync(Guid id, string by, CancellationToken cancellationToken = default);

    /// <summary>Has all letters that fit sent again, spread evenly over time. Those that are being sent or are done with are passed over.</summary>
    /// <param name="query">Which ones; its page size does not matter.</param>
    /// <param name="perSecond">How many are due in a second. Above 0, to 10,000.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="progress">Told after each page how many it is by now. Default: nobody.</param>
    /// <param name="cancellationToken">Stops; what has been made due stays so.</param>
    /// <returns>How many.</returns>
    Task<int> ReplayManyAsync(DeadLetterQuery query, double perSecond, string by, IProgress<int>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>Says that a letter has been dealt with in another way. It is not sent again.</summary>
    /// <param name="id">The letter.</param>
    /// <param name="action">What was done, in a word or two.</param>
    /// <param name="notes">Anything worth keeping; null when there is nothing.</param>
    /// <param name="by">Who did it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<DeadLetter> ResolveAsync(Guid id, string action, string? notes, string by, CancellationToken cancellationToken = default);

    /// <summary>Deletes letters that are done with (replayed, resolved, resubmitted) and failed last longer ago than that.</summary>
    /// <returns>How many.</returns>
    Task<int> PurgeAsync(TimeSpan olderThan, CancellationToken cancellationToken = default);
}
