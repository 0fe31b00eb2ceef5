namespace HttpResilience.Storage;

/// <summary>
/// Keeps what error budgets have counted, so that they outlive the process. What a method has done is durable when its task completes. All members may be called from many
/// threads and processes at once. Times are kept in whole microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">Every member throws it when the store cannot be reached, is full, or is not one of ours.</exception>
public interface IErrorBudgetStore
{
    /// <summary>Adds to what is kept, all or nothing, and once: the same update given again changes nothing.</summary>
    /// <returns>False when it was added before.</returns>
    Task<bool> AddAsync(ErrorBudgetUpdate update, CancellationToken cancellationToken);

    /// <summary>What is kept of a client, by all processes, from the oldest.</summary>
    /// <param name="since">Periods that begin before this are left out.</param>
    Task<IReadOnlyList<ErrorBudgetCount>> LoadAsync(string clientName, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Keeps that a client was paused or resumed, unless a change is kept that came later.</summary>
    Task SetPauseAsync(ErrorBudgetPause pause, CancellationToken cancellationToken);

    /// <summary>The last change of each client that was ever paused.</summary>
    Task<IReadOnlyList<ErrorBudgetPause>> PausesAsync(CancellationToken cancellationToken);

    /// <summary>A version of the application has started.</summary>
    /// <returns>All versions that are known, this one included, the one that started last first.</returns>
    Task<IReadOnlyList<DeployedVersion>> StartedAsync(string version, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>Deletes counts of periods that begin before a time, and what only they needed.</summary>
    /// <returns>How many counts.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>What a process has counted since its last update.</summary>
/// <param name="Writer">The process, in this run.</param>
/// <param name="Sequence">The number of the update: each is greater than the last one of the writer.</param>
/// <param name="At">The time of it.</param>
/// <param name="Counts">What is added.</param>
public sealed record ErrorBudgetUpdate(Guid Writer, long Sequence, DateTimeOffset At, IReadOnlyList<ErrorBudgetCount> Counts);

/// <summary>How many calls of a client ended in one way.</summary>
/// <param name="ClientName">The client.</param>
/// <param name="Version">The version of the application that made them.</param>
/// <param name="Period">When the 5 minutes began in which they ended.</param>
/// <param name="FailureClass">How they ended.</param>
/// <param name="Calls">How many.</param>
public sealed record ErrorBudgetCount(string ClientName, string Version, DateTimeOffset Period, FailureClass FailureClass, long Calls);

/// <summary>An integration was paused or resumed.</summary>
/// <param name="ClientName">The client.</param>
/// <param name="IsPaused">It was paused; else resumed.</param>
/// <param name="By">Who did it; null when the budget did (<c>ErrorBudget:PauseAtBurn</c>), or its probes.</param>
/// <param name="At">When.</param>
public sealed record ErrorBudgetPause(string ClientName, bool IsPaused, string? By, DateTimeOffset At);

/// <summary>A version of the application that has run.</summary>
/// <param name="Version">What it is called.</param>
/// <param name="FirstSeenAt">When it first started.</param>
/// <param name="LastStartedAt">When it last started.</param>
public sealed record DeployedVersion(string Version, DateTimeOffset FirstSeenAt, DateTimeOffset LastStartedAt);
