namespace HttpResilience;

/// <summary>
/// What a letter's history is after something has happened to it. The first failure is written down with the event that follows it: a
/// letter that nobody has touched needs no history.
/// </summary>
internal static class LetterHistory
{
    internal const int FirstKept = 10, LastKept = 90;
    internal const int MaxTitle = 200, MaxNotes = 4000;

    /// <summary>The history of a letter for which none was written: its failure, and its last replay.</summary>
    internal static IReadOnlyList<LetterEvent> UnwrittenOf(DeadLetter letter)
    {
        var failure = new LetterEvent(LetterEventKind.Failed, letter.FirstFailedAt);
        // A lease that ended without a result counts as a replay, and nothing has failed.
        if (letter.Replays == 0 || (letter.Status is not DeadLetterStatus.Replayed && letter.LastFailedAt <= letter.FirstFailedAt))
            return [letter.Status is DeadLetterStatus.Replayed ? failure : failure with
            {
                StatusCode = letter.StatusCode, Title = TitleOf(letter), Attempts = letter.Attempts,
            }];
        // A version that kept no history replayed it.
        var replay = letter.Status is DeadLetterStatus.Replayed ? new(LetterEventKind.Replayed, letter.DueAt)
            : new LetterEvent(LetterEventKind.ReplayFailed, letter.LastFailedAt) { Title = TitleOf(letter) };
        return [failure, replay with { StatusCode = letter.StatusCode }];
    }

    /// <summary>The letter with one more event. Of many, the first and the last are kept.</summary>
    /// <param name="before">The letter before it.</param>
    internal static DeadLetter Add(this DeadLetter letter, DeadLetter before, LetterEvent added)
    {
        IEnumerable<LetterEvent> events = before.History;
        if (before.History.Count >= FirstKept + LastKept)
            events = [.. before.History.Take(FirstKept), .. before.History.Skip(before.History.Count - LastKept + 1)];
        // Only the last event can be undone.
        return letter with { History = [.. events.Select(e => e.Was is null ? e : e with { Was = null }), added] };
    }

    /// <summary>The result of a replay with its event. A replay that was given up is none: the letter is due again.</summary>
    internal static DeadLetter AfterReplay(DeadLetter claimed, DeadLetter result, string instance, DateTimeOffset now)
    {
        LetterEventKind? kind = result.Status switch
        {
            DeadLetterStatus.Replayed => LetterEventKind.Replayed,
            DeadLetterStatus.RequiresReview => LetterEventKind.ReplayFailed,
            DeadLetterStatus.Pending when result.LastFailedAt != claimed.LastFailedAt || result.Replays != claimed.Replays =>
                LetterEventKind.ReplayFailed,
            _ => null,
        };
        if (kind is not { } happened)
            return result;
        bool wasSent = result.LastFailedAt != claimed.LastFailedAt || happened is LetterEventKind.Replayed;
        result = result.Add(claimed, new(happened, now)
        {
            Instance = instance,
            JobId = claimed.Job is { EndedAt: null } ? claimed.Job.Id : null,
            StatusCode = wasSent ? result.StatusCode : null,
            Title = happened is LetterEventKind.Replayed ? null : wasSent ? TitleOf(result) : Short(result.SuggestedAction, MaxTitle),
            Attempts = result.Attempts - claimed.Attempts,
        });
        return claimed.Job is { EndedAt: null } job
            ? result with { Job = job with { Accepted = happened is LetterEventKind.Replayed, EndedAt = now } } : result;
    }

    internal static LetterState StateOf(DeadLetter letter) => new(letter.Status, letter.DueAt, letter.SuggestedAction);

    internal static string? Short(string? text, int limit) =>
        text is null || text.Length <= limit ? text : $"{text.AsSpan(0, char.IsHighSurrogate(text[limit - 2]) ? limit - 2 : limit - 1)}…";

    private static string? TitleOf(DeadLetter letter) => Short(letter.ErrorTitle ?? letter.ErrorType, MaxTitle);
}
