using System.Text.Json.Serialization;

namespace HttpResilience.Storage;

/// <summary>
/// A change of many letters, in the store: processes with <c>AddDeadLetterReplay</c> work it off, whichever process was asked for it. They
/// make letters due for the next 10 seconds only, so that the rest stays as it is when the job is stopped.
/// </summary>
public sealed record LetterJob
{
    /// <summary>A UUID of version 7: later jobs have greater ids.</summary>
    public required Guid Id { get; init; }

    /// <summary>The application whose person asked for it; a store sets its own where it is empty.</summary>
    public string Application { get; init; } = "";

    /// <summary>What was asked for.</summary>
    public required LetterJobRequest Request { get; init; }

    /// <summary>The newest letter that was counted: later ones are not swept along.</summary>
    public required Guid UpTo { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>How many letters were counted then.</summary>
    public long Total { get; init; }

    /// <summary>The state.</summary>
    public LetterJobState State { get; init; }

    /// <summary>The last letter that was looked at, in the order from the newest to the oldest; null before the first.</summary>
    public Guid? Position { get; init; }

    /// <summary>How many letters have been made due, or settled.</summary>
    public int Taken { get; init; }

    /// <summary>
    /// How many open letters have been left out: what may be done twice, is being sent, or waits for another job.
    /// </summary>
    public int LeftOut { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it was stopped, and by whom where a person did; null when it was not.</summary>
    public string? StopReason { get; init; }

    /// <summary>The number of changes: a change applies only to the version it was based on.</summary>
    public long Version { get; init; }
}

/// <summary>What a person asks of a <see cref="LetterJob"/>.</summary>
// A version that does not know a part of it must not do more than was asked for.
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record LetterJobRequest
{
    /// <summary>What is done to each letter.</summary>
    public required LetterJobAction Action { get; init; }

    /// <summary>
    /// The letters; its page does not matter. Letters that are being sent or are settled when their turn comes are left out.
    /// </summary>
    public required DeadLetterQuery Query { get; init; }

    /// <summary>The person who asks for it.</summary>
    public required string By { get; init; }

    /// <summary>How many letters at most, the newest first. Null (all), or 1 or more; default null.</summary>
    public int? MaxLetters { get; init; }

    /// <summary>How many letters are due in a second. 0.1 to 100; default 5.</summary>
    public double PerSecond { get; init; } = 5;

    /// <summary>
    /// The job stops when more than this part of the last 20 letters sent was not accepted. Null (never), or 0 to 1; default 0.5.
    /// </summary>
    public double? StopRatio { get; init; } = 0.5;

    /// <summary>
    /// Whether letters are sent that may have been processed and have no key under which the API would know them. Default false: they are
    /// left out.
    /// </summary>
    public bool IncludesUncertain { get; init; }

    /// <summary>What the person wrote; for <see cref="LetterJobAction.Resolve"/> the notes. Null when nothing.</summary>
    public string? Notes { get; init; }

    /// <summary>
    /// For <see cref="LetterJobAction.Resolve"/>, what was done, in a word or two. Null for <c>Resolve</c>; default null.
    /// </summary>
    public string? Resolution { get; init; }
}

/// <summary>What a <see cref="LetterJob"/> does to each letter.</summary>
public enum LetterJobAction
{
    /// <summary>It is sent again, as by <see cref="IDeadLetterReview.ReplayAsync(Guid, string, CancellationToken)"/>.</summary>
    Replay,

    /// <summary>
    /// It is settled, as by <see cref="IDeadLetterReview.ResolveAsync(Guid, string, string?, string, CancellationToken)"/>.
    /// </summary>
    Resolve,

    /// <summary>
    /// What another job has resolved is reopened (<see cref="LetterJobs.ReopenAsync"/>), as by <see cref="IDeadLetterReview.ReopenAsync"/>.
    /// </summary>
    Reopen,
}

/// <summary>The state of a <see cref="LetterJob"/>.</summary>
public enum LetterJobState
{
    /// <summary>It is under way.</summary>
    Running,

    /// <summary>All letters have had their turn.</summary>
    Completed,

    /// <summary>A person stopped it, or it stopped by itself.</summary>
    Stopped,
}

/// <summary>The part of a letter in the last job that took it.</summary>
/// <param name="Id">The job.</param>
/// <param name="Accepted">Whether the API accepted the letter; null while it has not been sent.</param>
/// <param name="EndedAt">When it was sent; null while it has not been.</param>
public sealed record LetterJobPart(Guid Id, bool? Accepted = null, DateTimeOffset? EndedAt = null);

/// <summary>How far a job is.</summary>
/// <param name="Waiting">Letters that are due, or are being sent.</param>
/// <param name="Accepted">Letters that the API accepted.</param>
/// <param name="Refused">Letters that it did not accept.</param>
/// <param name="Recent">Whether each of the letters sent last was accepted, the last one first; at most 20.</param>
public sealed record LetterJobProgress(long Waiting, long Accepted, long Refused, IReadOnlyList<bool> Recent);

/// <summary>Stores jobs; <see cref="IDeadLetterStore.CommitAsync"/> changes them.</summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface ILetterJobStore
{
    /// <summary>The jobs of the store's own application, the newest first.</summary>
    /// <param name="state">Those of this state; null for all.</param>
    /// <param name="limit">How many at most. 1 or more.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<IReadOnlyList<LetterJob>> ListAsync(LetterJobState? state, int limit, CancellationToken cancellationToken);

    /// <summary>The job with this id; null when there is none.</summary>
    Task<LetterJob?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>How far the job is.</summary>
    /// <param name="id">The job.</param>
    /// <param name="withTotals">
    /// Whether accepted and refused letters are counted, which looks at each letter of the job; else both are 0.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<LetterJobProgress> ProgressAsync(Guid id, bool withTotals, CancellationToken cancellationToken);

    /// <summary>Deletes the jobs of every application that ended before a time.</summary>
    /// <returns>The number of deleted jobs.</returns>
    Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken);
}
