namespace HttpResilience.Storage;

/// <summary>
/// Stores the counts of error budgets, so that they outlive the process. A change is durable when the task of its method completes. All
/// members may be called from many threads and processes at once. Times are stored in whole microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">
/// Every member throws it when the store cannot be reached, is full, or is not one of this package.
/// </exception>
public interface IErrorBudgetStore
{
    /// <summary>Adds counts, all or nothing, and once: the same update given again changes nothing.</summary>
    /// <returns>False when the update was added before.</returns>
    Task<bool> AddAsync(ErrorBudgetUpdate update, CancellationToken cancellationToken);

    /// <summary>Returns the counts of a client, by all processes, oldest first.</summary>
    /// <param name="since">Periods that begin before this are left out.</param>
    Task<IReadOnlyList<ErrorBudgetCount>> LoadAsync(string clientName, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Stores that a client was paused or resumed, unless a later change is stored.</summary>
    Task SetPauseAsync(ErrorBudgetPause pause, CancellationToken cancellationToken);

    /// <summary>Returns the last change of each client that was ever paused.</summary>
    Task<IReadOnlyList<ErrorBudgetPause>> PausesAsync(CancellationToken cancellationToken);

    /// <summary>Stores the start of a version of the application.</summary>
    /// <returns>All known versions, this one included, the latest start first.</returns>
    Task<IReadOnlyList<DeployedVersion>> StartedAsync(string version, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>Deletes counts of periods that begin before a time, and rows that only they needed.</summary>
    /// <returns>The number of deleted counts.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>The counts of a process since its last update.</summary>
/// <param name="Writer">The process, in this run.</param>
/// <param name="Sequence">The number of the update: each is greater than the last one of the writer.</param>
/// <param name="At">The time of the update.</param>
/// <param name="Counts">The counts to add.</param>
public sealed record ErrorBudgetUpdate(Guid Writer, long Sequence, DateTimeOffset At, IReadOnlyList<ErrorBudgetCount> Counts);

/// <summary>A version of the application that has run.</summary>
/// <param name="Version">Its name.</param>
/// <param name="FirstSeenAt">The time of its first start.</param>
/// <param name="LastStartedAt">The time of its last start.</param>
public sealed record DeployedVersion(string Version, DateTimeOffset FirstSeenAt, DateTimeOffset LastStartedAt);
