namespace HttpResilience.Storage;

/// <summary>
/// Stores the processes that use the store. Each writes its own row every 10 seconds, so that the others detect letters that no live
/// process replays.
/// </summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface IInstanceStore
{
    /// <summary>Stores the row of a process, or replaces it.</summary>
    Task SaveAsync(StorageInstance instance, CancellationToken cancellationToken);

    /// <summary>The processes of every application that were seen at a time or later, in the order of their ids.</summary>
    Task<IReadOnlyList<StorageInstance>> ListAsync(DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Deletes the rows of processes that were last seen before a time.</summary>
    /// <returns>The number of deleted rows.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>A process that uses the store.</summary>
public sealed record StorageInstance
{
    /// <summary>Its id; a restarted process has another one.</summary>
    public required Guid Id { get; init; }

    /// <summary>The application: <see cref="StorageApplication.Name"/>.</summary>
    public required string Application { get; init; }

    /// <summary>The machine and the number of the process, for people.</summary>
    public required string Name { get; init; }

    /// <summary>The version of the application; null when it is not known.</summary>
    public string? Version { get; init; }

    /// <summary>Whether it replays dead letters (<c>AddDeadLetterReplay</c>). Default: false.</summary>
    public bool Replays { get; init; }

    /// <summary>The applications whose letters it replays besides its own: <see cref="DeadLetterReplayOptions.Applications"/>.</summary>
    public IReadOnlyCollection<string> ReplaysFor { get; init; } = [];

    /// <summary>Its clients that keep dead letters: it can send theirs.</summary>
    public IReadOnlyCollection<string> Clients { get; init; } = [];

    /// <summary>
    /// Its clients that an operator can pause: all with the chain, where <c>AddHttpResilienceOperations</c> is called. Null: it obeys no
    /// pause, or runs a version that does not say.
    /// </summary>
    public IReadOnlyCollection<string>? PausableClients { get; init; }

    /// <summary>The time at which it started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The time at which it wrote this row.</summary>
    public required DateTimeOffset SeenAt { get; init; }

    /// <summary>Its circuits and calls; null from a version that does not report them, or when they cannot be read.</summary>
    public InstanceReport? Report { get; init; }
}
