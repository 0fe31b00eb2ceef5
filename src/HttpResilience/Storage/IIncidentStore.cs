namespace HttpResilience.Storage;

/// <summary>
/// Stores the incidents of an application, so that its processes send each alert once. A change is based on the latest version of the
/// row; the package HttpResilience.Operations decides what to write. All members use the rows of the store's own application. Texts
/// and times are stored as <see cref="IDeadLetterStore"/> stores them.
/// </summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface IIncidentStore
{
    /// <summary>The incidents of the application, in the order of their keys.</summary>
    Task<IReadOnlyList<StorageIncident>> ListAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Stores an incident if its stored version is still <see cref="StorageIncident.Version"/>, where 0 means that none is stored under
    /// its key; the stored version is one higher.
    /// </summary>
    /// <returns>
    /// False when the stored version is another one: nothing was changed. It may also be false when the store had to repeat the change
    /// because its first answer was lost.
    /// </returns>
    Task<bool> SaveAsync(StorageIncident incident, CancellationToken cancellationToken);

    /// <summary>Deletes the incidents of every application that were last changed before a time.</summary>
    /// <returns>The number of deleted incidents.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>An incident and its last alert: what the processes of an application know of it together.</summary>
public sealed record StorageIncident
{
    /// <summary>The subject of the incident: unique among those of the application. At most 1,000 characters.</summary>
    public required string Key { get; init; }

    /// <summary>The version of the row that this is based on; 0 for a new one.</summary>
    public long Version { get; init; }

    /// <summary>The alert that was sent last, or is to be sent, as JSON.</summary>
    public required string Alert { get; init; }

    /// <summary>The process that has the right to send the alert, or has sent it.</summary>
    public required Guid Sender { get; init; }

    /// <summary>Until when <see cref="Sender"/> has that right, unless it renews it.</summary>
    public required DateTimeOffset LeaseUntil { get; init; }

    /// <summary>When the alert was sent; null while it is not.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>The processes that observe the problem, with the time of their last observation.</summary>
    public IReadOnlyDictionary<Guid, DateTimeOffset> SeenBy { get; init; } =
        System.Collections.ObjectModel.ReadOnlyDictionary<Guid, DateTimeOffset>.Empty;

    /// <summary>When the row was written.</summary>
    public required DateTimeOffset ChangedAt { get; init; }
}
