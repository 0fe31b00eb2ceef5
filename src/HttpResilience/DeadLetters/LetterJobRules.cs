namespace HttpResilience;

/// <summary>What a job does to a letter, and to which.</summary>
internal static class LetterJobRules
{
    /// <summary>Whether it is for this job, as it is now.</summary>
    internal static bool MayTake(LetterJob job, DeadLetter letter) => job.Request.Action is LetterJobAction.Reopen
        ? IsAsLeftBy(job.Request.Query.JobId, letter) : MayTakeOpen(job, letter);

    /// <summary>Whether it fits the filter and is not for this job: what is settled by now needs none.</summary>
    internal static bool LeavesOut(LetterJob job, DeadLetter letter) => !MayTake(job, letter)
        && (job.Request.Action is LetterJobAction.Reopen
            || letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.InProgress or DeadLetterStatus.RequiresReview);

    // One that somebody has reopened since, and resolved again, is another deed.
    private static bool IsAsLeftBy(Guid? job, DeadLetter letter) => letter.Status is DeadLetterStatus.Resolved
        && letter.History[^1] is { Kind: LetterEventKind.Resolved, JobId: { } by } && by == job;

    // One that waits for another job is left to that.
    private static bool MayTakeOpen(LetterJob job, DeadLetter letter) =>
        letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.RequiresReview
        && !(letter is { Status: DeadLetterStatus.Pending, Job: { EndedAt: null } part } && part.Id != job.Id)
        && (job.Request is { Action: LetterJobAction.Resolve } or { IncludesUncertain: true } || !LetterJobDecision.IsUncertain(letter));

    /// <param name="turn">The number of letters that are due before it.</param>
    internal static DeadLetter Changed(LetterJob job, DeadLetter letter, LetterChange change, long turn) => job.Request.Action switch
    {
        LetterJobAction.Resolve => change.Resolved(letter, job.Request.Resolution ?? LetterChange.Resolve, job.Request.Notes),
        LetterJobAction.Reopen => change.Reopened(letter),
        _ => change.Replayed(
            letter, change.At + (TimeSpan.FromSeconds(1) * ((turn + 1) / job.Request.PerSecond)), !job.Request.IncludesUncertain),
    };
}
