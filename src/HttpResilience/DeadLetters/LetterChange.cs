namespace HttpResilience;

/// <summary>What a letter becomes when a person, or a job on behalf of one, changes it: letters in, letters out.</summary>
/// <param name="By">The person.</param>
/// <param name="At">The time.</param>
/// <param name="Job">The job; null when there is none.</param>
internal readonly record struct LetterChange(string By, DateTimeOffset At, Guid? Job = null)
{
    internal const string Replay = "Replay", Resubmit = "Resubmit", Resolve = "Resolve", Reopen = "Reopen", Cancel = "Cancel",
        Purge = "Purge";

    internal DeadLetter Replayed(DeadLetter letter, DateTimeOffset due, bool onlyIfSafe = false) => (letter with
    {
        Status = DeadLetterStatus.Pending,
        DueAt = due,
        Resolution = new(onlyIfSafe ? DeadLetterDecision.ReplayIfSafe : Replay, null, By, At),
        SuggestedAction = null,
        Takeovers = 0,
        Job = PartOf(letter),
    }).Add(letter, Event(LetterEventKind.ReplayRequested) with { Was = StateBefore(letter) });

    internal DeadLetter Resolved(DeadLetter letter, string action, string? notes) => (letter with
    {
        Status = DeadLetterStatus.Resolved,
        Resolution = new(action, notes, By, At),
        SuggestedAction = null,
        Job = PartOf(letter) is { EndedAt: null } part ? part with { EndedAt = At } : PartOf(letter),
    }).Add(letter, Event(LetterEventKind.Resolved) with
    {
        Title = LetterHistory.Short(action, LetterHistory.MaxTitle),
        Notes = LetterHistory.Short(notes, LetterHistory.MaxNotes),
        Was = StateBefore(letter),
    });

    /// <summary>The letter that is replaced, and the one that replaces it.</summary>
    internal (DeadLetter Replaced, DeadLetter Replacement) Resubmitted(DeadLetter letter, DeadLetter replacement, DateTimeOffset due) => (
        (letter with
        {
            Status = DeadLetterStatus.Resubmitted,
            ReplacedBy = replacement.Id,
            Resolution = new(Resubmit, null, By, At),
            SuggestedAction = null,
            Job = PartOf(letter),
        }).Add(
            letter, Event(LetterEventKind.Resubmitted) with { OtherId = replacement.Id, Was = StateBefore(letter) }),
        replacement with { DueAt = due, History = [Event(LetterEventKind.Corrected) with { OtherId = letter.Id }] });

    /// <summary>The settled letter as it was before it was resolved.</summary>
    /// <exception cref="InvalidOperationException">It is not resolved, or is a correction that was cancelled.</exception>
    internal DeadLetter Reopened(DeadLetter letter)
    {
        if (letter.Status is not DeadLetterStatus.Resolved)
            throw new InvalidOperationException($"Dead letter {letter.Id} cannot be reopened: it is {letter.Status}, not Resolved.");
        if (letter is { Replaces: { } replaced } && letter.History[^1].Kind is LetterEventKind.Cancelled)
            throw new InvalidOperationException(
                $"Dead letter {letter.Id} cannot be reopened: its correction was cancelled, and {replaced} is open in its place.");
        // One that an older version resolved has no history: a person looks at it.
        var was = letter.History[^1] is { Kind: LetterEventKind.Resolved, Was: { } known } ? known
            : new(DeadLetterStatus.RequiresReview, At, null);
        return Restored(letter, was).Add(letter, Event(LetterEventKind.Reopened));
    }

    /// <summary>
    /// The letter as it was before it was to be sent again, or, where it is the correction of another letter, both: it is resolved, and
    /// the other one is what it was.
    /// </summary>
    /// <param name="replaced">The letter that it replaces; null when there is none.</param>
    /// <exception cref="InvalidOperationException">It has been sent, or no person asked for it to be sent.</exception>
    internal IReadOnlyList<DeadLetter> Cancelled(DeadLetter letter, DeadLetter? replaced)
    {
        var cancelled = Event(LetterEventKind.Cancelled);
        switch (letter.History[^1])
        {
            case { Was: { } was } when WaitsAsRequested(letter):
                return [Restored(letter, was).Add(letter, cancelled)];
            case { Kind: LetterEventKind.Corrected } when letter.Status is DeadLetterStatus.Pending
                && letter is { Replays: 0, Attempts: 0, MayHaveBeenProcessed: false }
                && replaced?.History[^1] is { Kind: LetterEventKind.Resubmitted, Was: { } before } && replaced.ReplacedBy == letter.Id:
                return
                [
                    (letter with { Status = DeadLetterStatus.Resolved, Resolution = new(Cancel, null, By, At) }).Add(letter, cancelled),
                    (Restored(replaced, before) with { ReplacedBy = null }).Add(replaced, cancelled with { OtherId = letter.Id }),
                ];
            default:
                throw new InvalidOperationException(letter.Status is DeadLetterStatus.InProgress
                    ? $"Dead letter {letter.Id} is being sent at this moment."
                    : $"Dead letter {letter.Id} cannot be cancelled: nobody's request to send it is waiting. It is {letter.Status}.");
        }
    }

    /// <summary>
    /// The letter waits because somebody asked for it, and has not been sent since: whatever sends it, or returns it after that, takes the
    /// resolution or makes another.
    /// </summary>
    internal static bool WaitsAsRequested(DeadLetter letter) => letter is { Status: DeadLetterStatus.Pending, Resolution: { } request }
        && letter.History[^1] is { Kind: LetterEventKind.ReplayRequested, Was: not null } asked
        // A store cuts the one, and not the other.
        && (request.At - asked.At).Duration() < TimeSpan.FromMicroseconds(1);

    // Of two requests one over the other, what was before the first.
    private static LetterState StateBefore(DeadLetter letter) =>
        WaitsAsRequested(letter) ? letter.History[^1].Was! : LetterHistory.StateOf(letter);

    private static DeadLetter Restored(DeadLetter letter, LetterState was) => letter with
    {
        // A row that was edited may have any.
        Status = was.Status is DeadLetterStatus.Pending ? was.Status : DeadLetterStatus.RequiresReview,
        DueAt = was.DueAt,
        SuggestedAction = was.SuggestedAction,
        Resolution = null,
        // A part that was sent keeps its result; one that was not is no part any more.
        Job = letter.Job is { EndedAt: null } ? null : letter.Job,
    };

    // A letter that waits for one job, and is taken by another deed, is no part of that job any more.
    private LetterJobPart? PartOf(DeadLetter letter) =>
        Job is { } job ? new(job) : letter.Job is { EndedAt: null } ? null : letter.Job;

    private LetterEvent Event(LetterEventKind kind) => new(kind, At) { By = By, JobId = Job };
}
