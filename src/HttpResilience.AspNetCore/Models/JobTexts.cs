namespace HttpResilience.AspNetCore;

/// <summary>What the page says of jobs.</summary>
internal static class JobTexts
{
    internal static string TitleOf(LetterJob job) => (job.Request.Action, job.State) switch
    {
        (LetterJobAction.Replay, LetterJobState.Running) => $"Sending {PageTimes.Number(job.Total)} again",
        (LetterJobAction.Replay, LetterJobState.Stopped) => $"Stopped sending {PageTimes.Number(job.Total)} again",
        (LetterJobAction.Replay, _) => $"Sent {PageTimes.Number(job.Total)} again",
        (LetterJobAction.Resolve, LetterJobState.Running) => $"Marking {PageTimes.Number(job.Total)} as dealt with",
        (LetterJobAction.Resolve, LetterJobState.Stopped) => $"Stopped marking {PageTimes.Number(job.Total)} as dealt with",
        (LetterJobAction.Resolve, _) => $"Marked {PageTimes.Number(job.Total)} as dealt with",
        (LetterJobAction.Reopen, LetterJobState.Running) => $"Reopening {PageTimes.Number(job.Total)}",
        (LetterJobAction.Reopen, LetterJobState.Stopped) => $"Stopped reopening {PageTimes.Number(job.Total)}",
        (LetterJobAction.Reopen, _) => $"Reopened {PageTimes.Number(job.Taken)}",
        _ => $"{job.Request.Action} of {PageTimes.Number(job.Total)}",
    };

    /// <summary>How long the rest takes at the rate of the job; null when it has ended, or only the store is at work.</summary>
    internal static TimeSpan? LeftOf(LetterJob job, LetterJobProgress progress) =>
        job is { State: LetterJobState.Running, Request.Action: LetterJobAction.Replay }
            ? TimeSpan.FromSeconds(
                Math.Max(0, job.Total - progress.Accepted - progress.Refused - job.LeftOut) / job.Request.PerSecond) : null;
}
