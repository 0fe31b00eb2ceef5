namespace HttpResilience.Storage;

/// <summary>Something that happened to a dead letter (<see cref="DeadLetter.History"/>).</summary>
/// <param name="Kind">What it was.</param>
/// <param name="At">When.</param>
public sealed record LetterEvent(LetterEventKind Kind, DateTimeOffset At)
{
    /// <summary>The person who did it; null when no person did.</summary>
    public string? By { get; init; }

    /// <summary>The process that sent the letter: machine and number of the process. Null when none did.</summary>
    public string? Instance { get; init; }

    /// <summary>The job that did it; null when none did.</summary>
    public Guid? JobId { get; init; }

    /// <summary>The status of the response; null when there was none.</summary>
    public int? StatusCode { get; init; }

    /// <summary>
    /// Why it failed: the title of the API's error, else the type of the exception; where the letter was not sent, what a person is to do.
    /// At most 200 characters.
    /// </summary>
    public string? Title { get; init; }

    /// <summary>How many attempts were sent. Default 0.</summary>
    public int Attempts { get; init; }

    /// <summary>The letter that replaces this one, or is replaced by it; null when there is none.</summary>
    public Guid? OtherId { get; init; }

    /// <summary>What the person wrote; null when nothing.</summary>
    public string? Notes { get; init; }

    /// <summary>What the letter was before, in the last event only where that can be undone; else null.</summary>
    public LetterState? Was { get; init; }
}

/// <summary>What <see cref="IDeadLetterReview.ReopenAsync"/> and <see cref="IDeadLetterReview.CancelAsync"/> restore.</summary>
/// <param name="Status">The status.</param>
/// <param name="DueAt">The time of the next replay, where the status is <see cref="DeadLetterStatus.Pending"/>.</param>
/// <param name="SuggestedAction">The suggested action; null when there was none.</param>
public sealed record LetterState(DeadLetterStatus Status, DateTimeOffset DueAt, string? SuggestedAction);

/// <summary>A kind of <see cref="LetterEvent"/>. More may be added.</summary>
public enum LetterEventKind
{
    /// <summary>The call failed for good, and the letter was kept.</summary>
    Failed,

    /// <summary>A person, or a job, asked for it to be sent again.</summary>
    ReplayRequested,

    /// <summary>It was sent again, or was to be sent, and failed.</summary>
    ReplayFailed,

    /// <summary>It was sent again and accepted.</summary>
    Replayed,

    /// <summary>A person replaced it by a corrected letter (<see cref="LetterEvent.OtherId"/>).</summary>
    Resubmitted,

    /// <summary>A person made it as the correction of another letter (<see cref="LetterEvent.OtherId"/>).</summary>
    Corrected,

    /// <summary>A person settled it in another way.</summary>
    Resolved,

    /// <summary>A person took back that it was settled.</summary>
    Reopened,

    /// <summary>A person took back a replay or a correction before it was sent.</summary>
    Cancelled,

    /// <summary>Something that a newer version has written down.</summary>
    Other,
}
