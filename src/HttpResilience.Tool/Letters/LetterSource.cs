using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>The letters that a command works on: in a store, or behind the API of a running application.</summary>
internal abstract class LetterSource : IAsyncDisposable
{
    /// <summary>How it is called in sentences: without credentials.</summary>
    internal abstract string Shown { get; }

    internal abstract IDeadLetterReview Review { get; }

    internal TimeProvider Time { get; } = TimeProvider.System;

    /// <summary>A step of a search for a text.</summary>
    /// <param name="before">Where it goes on; null for the beginning.</param>
    internal abstract Task<LetterFinds> SearchAsync(LetterFilter filter, Guid? before, int limit, CancellationToken cancellationToken);

    /// <summary>The open letters by their cause, those that need a person first.</summary>
    internal abstract Task<GroupList> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Why letters that are due stay where they are: the applications and clients for which no process was seen that replays.
    /// </summary>
    internal abstract Task<IReadOnlyList<UnreplayedLetters>> UnreplayedAsync(CancellationToken cancellationToken);

    /// <summary>Replaces a letter in the version that was seen by one with other data.</summary>
    /// <exception cref="ToolException">The correction is not valid.</exception>
    internal abstract Task<DeadLetter> ResubmitAsync(
        DeadLetter letter, ResubmitRequest request, string by, CancellationToken cancellationToken);

    /// <summary>What a purge would delete.</summary>
    /// <param name="filter">The letters; all of its statuses are settled.</param>
    /// <param name="before">Those that were settled before this time.</param>
    internal abstract Task<PurgePreview> CountSettledAsync(LetterFilter filter, DateTimeOffset before, CancellationToken cancellationToken);

    /// <summary>Deletes letters, as many as were counted.</summary>
    /// <returns>The number of deleted letters.</returns>
    internal abstract Task<long> PurgeAsync(LetterFilter filter, PurgePreview counted, string by, CancellationToken cancellationToken);

    /// <summary>Jobs, newest first, without their progress.</summary>
    internal abstract Task<JobList> JobsAsync(int limit, CancellationToken cancellationToken);

    /// <summary>A job and how far it is; null when there is none.</summary>
    internal abstract Task<JobModel?> JobAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>The job, or the one with this filter that is there already.</summary>
    /// <param name="request">What is to be done.</param>
    /// <param name="count">The number of letters that was shown.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    internal abstract Task<JobModel> StartJobAsync(LetterJobRequest request, long count, CancellationToken cancellationToken);

    /// <summary>The job as it is then; null when there is none.</summary>
    internal abstract Task<JobModel?> StopJobAsync(Guid id, string by, CancellationToken cancellationToken);

    /// <summary>Takes back what a job has marked as dealt with; null when there is no such job.</summary>
    internal abstract Task<JobModel?> UndoJobAsync(Guid id, string by, CancellationToken cancellationToken);

    /// <summary>Whether an instance that works off jobs was seen within 30 seconds.</summary>
    internal abstract Task<bool> HasWorkerAsync(CancellationToken cancellationToken);

    /// <summary>Whether this process can work off jobs.</summary>
    internal virtual bool CanWorkOffJobs => false;

    /// <summary>Works off the next letters of a job.</summary>
    internal virtual Task StepJobAsync(Guid id, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The instances of the application do that.");

    /// <summary>Throws when no instance has circuits of a client, where that is known before a change: an API says it only then.</summary>
    /// <exception cref="KeyNotFoundException">There is no such client.</exception>
    internal virtual Task RequireCircuitsOfAsync(string client, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The circuits of all instances of the application.</summary>
    /// <param name="client">Those of this client; null for all.</param>
    /// <param name="authority">Those of this host; null for all.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    internal abstract Task<CircuitList> CircuitsAsync(string? client, string? authority, CancellationToken cancellationToken);

    /// <summary>Holds a host back on all instances, or lets it through.</summary>
    /// <exception cref="KeyNotFoundException">No instance has such a client.</exception>
    internal abstract Task<CircuitModel> ChangeCircuitAsync(
        CircuitRequest request, bool isHeld, string by, CancellationToken cancellationToken);

    /// <summary>A client, its pause, and what a pause of it affects.</summary>
    /// <exception cref="ToolException">There is no such client; with the names of those that are known.</exception>
    internal abstract Task<ClientDetail> ClientAsync(string name, CancellationToken cancellationToken);

    /// <summary>Pauses or resumes a client.</summary>
    /// <returns>The client as it is then.</returns>
    /// <exception cref="ToolException">There is no such client, or it is paused or resumed already.</exception>
    internal abstract Task<ClientDetail> SetPauseAsync(
        string name, bool isPaused, string by, string? note, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
