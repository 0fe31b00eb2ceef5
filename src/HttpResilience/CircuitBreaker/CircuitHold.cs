namespace HttpResilience.Storage;

/// <summary>A host was held back on all instances of an application, or let through.</summary>
public sealed record CircuitHold
{
    /// <summary>The client.</summary>
    public required string ClientName { get; init; }

    /// <summary>Scheme, host and port, such as <c>https://api.example.com</c>.</summary>
    public required string Authority { get; init; }

    /// <summary>Only this tenant's part of the host; null for all of it. Default null.</summary>
    public string? Tenant { get; init; }

    /// <summary>True when it was held back: nothing is sent. False when it was let through.</summary>
    public required bool IsHeld { get; init; }

    /// <summary>The person.</summary>
    public required string By { get; init; }

    /// <summary>Why, in the person's words; null when nothing was written. Default null.</summary>
    public string? Note { get; init; }

    /// <summary>The time of the change.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>
/// Stores which hosts are held back; <see cref="IDeadLetterStore.CommitAsync"/> changes it. Times are stored in whole microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface ICircuitHoldStore
{
    /// <summary>
    /// The last change of each host in the store's own application, in the order of client, host and tenant: those that are held, and those
    /// that were let through and are not deleted yet.
    /// </summary>
    Task<IReadOnlyList<CircuitHold>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Deletes those of every application that were let through before a time.</summary>
    /// <returns>The number of deleted rows.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken);
}
