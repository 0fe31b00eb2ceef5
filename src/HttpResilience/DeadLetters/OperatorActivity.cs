namespace HttpResilience.Storage;

/// <summary>Something that a person, or a job on behalf of one, did.</summary>
public sealed record OperatorActivity
{
    /// <summary>A UUID of version 7: later entries have greater ids.</summary>
    public required Guid Id { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The person.</summary>
    public required string By { get; init; }

    /// <summary>What was done, in a word: <c>Replay</c>, <c>Resubmit</c>, <c>Resolve</c>, <c>Reopen</c>, <c>Cancel</c>, <c>Purge</c>,
    /// <c>StartJob</c>, <c>StopJob</c>, <c>HoldBack</c>, <c>LetThrough</c>, <c>Pause</c>,
    /// <c>Resume</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The letter; null when it was not one.</summary>
    public Guid? LetterId { get; init; }

    /// <summary>The job; null when it was none.</summary>
    public Guid? JobId { get; init; }

    /// <summary>The client of the letter or the filter; null when there is none.</summary>
    public string? ClientName { get; init; }

    /// <summary>How many letters; 0 when it was about none. Default 1.</summary>
    public long Letters { get; init; } = 1;

    /// <summary>What the person wrote, or what was changed; null when nothing.</summary>
    public string? Notes { get; init; }
}

/// <summary>Stores what people did; <see cref="IDeadLetterStore.CommitAsync"/> adds it.</summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface IOperatorActivityStore
{
    /// <summary>The activity in the store's own application, the newest first.</summary>
    /// <param name="before">Entries older than the one with this id; null for the first page.</param>
    /// <param name="limit">How many at most. 1 or more.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<IReadOnlyList<OperatorActivity>> ListAsync(Guid? before, int limit, CancellationToken cancellationToken);

    /// <summary>Deletes the entries of every application from before a time.</summary>
    /// <returns>The number of deleted entries.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>Changes that a store makes together, or not at all.</summary>
public sealed record LetterCommit
{
    /// <summary>Changed letters, each with the version as it was read. Default: none.</summary>
    public IReadOnlyList<DeadLetter> Changed { get; init; } = [];

    /// <summary>New letters. Default: none.</summary>
    public IReadOnlyList<DeadLetter> Added { get; init; } = [];

    /// <summary>A job: a new one where its version is 0, else with the version as it was read. Default: none.</summary>
    public LetterJob? Job { get; init; }

    /// <summary>
    /// A host that is held back or let through. Nothing of the commit is made when a change of the same time or a later one is stored, or
    /// one that is later than <see cref="HoldBefore"/>. Default: none.
    /// </summary>
    public CircuitHold? Hold { get; init; }

    /// <summary>The stored change of that host as it was read; null when there was none.</summary>
    public CircuitHold? HoldBefore { get; init; }

    /// <summary>
    /// A client is paused or resumed. Where a change is stored that is later than <see cref="PauseBefore"/>, nothing is committed. Default:
    /// none.
    /// </summary>
    public ErrorBudgetPause? Pause { get; init; }

    /// <summary>The stored change of that client as it was read; null when there was none.</summary>
    public ErrorBudgetPause? PauseBefore { get; init; }

    /// <summary>What a person did. Default: nothing.</summary>
    public OperatorActivity? Activity { get; init; }
}
