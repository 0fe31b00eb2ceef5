using System.Collections.Frozen;

namespace HttpResilience.Operators;

/// <summary>
/// The words for what a letter is: those of filters and JSON, such as <c>needs-person</c>, and those for people. One word for one thing,
/// the same in the API and in the tool.
/// </summary>
internal static class LetterWords
{
    /// <summary>All that are open: they wait, are being sent, or need a person.</summary>
    internal const string Open = "open";

    /// <summary>The name of a group that stands for the titles which are too many to list.</summary>
    internal const string OtherReasons = "Other reasons";

    internal static readonly IReadOnlyList<DeadLetterStatus> OpenStatuses =
        [DeadLetterStatus.Pending, DeadLetterStatus.InProgress, DeadLetterStatus.RequiresReview];

    internal static readonly IReadOnlyList<DeadLetterStatus> SettledStatuses =
        [DeadLetterStatus.Replayed, DeadLetterStatus.Resolved, DeadLetterStatus.Resubmitted];

    private static readonly FrozenDictionary<string, DeadLetterStatus> StatusesByWord =
        Enum.GetValues<DeadLetterStatus>().ToFrozenDictionary(Of);

    private static readonly FrozenDictionary<string, FailureClass> ClassesByWord = Enum.GetValues<FailureClass>().ToFrozenDictionary(Of);

    /// <summary>The words of <c>status=</c>, those that need a person first.</summary>
    internal static IReadOnlyList<string> Statuses { get; } =
        ["needs-person", "waiting", "being-sent", "accepted", "dealt-with", "replaced"];

    /// <summary>The words of <c>class=</c>.</summary>
    internal static IReadOnlyList<string> Classes { get; } = [.. Enum.GetValues<FailureClass>().Select(Of)];

    /// <summary>What can be done about a letter.</summary>
    internal const string SendAgain = "Send again", SendCorrected = "Send corrected", MarkAsDealtWith = "Mark as dealt with";

    internal static bool TryStatus(string word, out DeadLetterStatus status) => StatusesByWord.TryGetValue(word, out status);

    internal static bool TryClass(string word, out FailureClass failureClass) => ClassesByWord.TryGetValue(word, out failureClass);

    internal static string Of(DeadLetterStatus status) => status switch
    {
        DeadLetterStatus.Pending => "waiting",
        DeadLetterStatus.InProgress => "being-sent",
        DeadLetterStatus.RequiresReview => "needs-person",
        DeadLetterStatus.Replayed => "accepted",
        DeadLetterStatus.Resolved => "dealt-with",
        DeadLetterStatus.Resubmitted => "replaced",
        _ => Kebab($"{status}"),
    };

    internal static string Of(FailureClass failureClass) => Kebab($"{failureClass}");

    internal static string Of(StopReason reason) => Kebab($"{reason}");

    internal static string Of(CircuitState state) => Kebab($"{state}");

    internal static string Of(LetterEventKind kind) => Kebab($"{kind}");

    internal static string Of(LetterJobAction action) => Kebab($"{action}");

    internal static string Of(LetterJobState state) => Kebab($"{state}");

    internal static bool TryEventKind(string word, out LetterEventKind kind) => TryOf(word, Of, out kind);

    internal static bool TryJobAction(string word, out LetterJobAction action) => TryOf(word, Of, out action);

    internal static bool TryJobState(string word, out LetterJobState state) => TryOf(word, Of, out state);

    /// <summary>What happened to a letter, for people.</summary>
    internal static string Text(LetterEventKind kind) => kind switch
    {
        LetterEventKind.Failed => "Failed",
        LetterEventKind.ReplayRequested => "To be sent again",
        LetterEventKind.ReplayFailed => "Sent again, not accepted",
        LetterEventKind.Replayed => "Sent again, accepted",
        LetterEventKind.Resubmitted => "Replaced by a corrected letter",
        LetterEventKind.Corrected => "Made as the correction of another letter",
        LetterEventKind.Resolved => "Marked as dealt with",
        LetterEventKind.Reopened => "Reopened",
        LetterEventKind.Cancelled => "Taken back before it was sent",
        LetterEventKind.Other => "Something that a newer version knows",
        _ => $"{kind}",
    };

    /// <summary>The status for people.</summary>
    internal static string Text(DeadLetterStatus status) => status switch
    {
        DeadLetterStatus.Pending => "Sent again by itself",
        DeadLetterStatus.InProgress => "Being sent",
        DeadLetterStatus.RequiresReview => "Needs a person",
        DeadLetterStatus.Replayed => "Accepted",
        DeadLetterStatus.Resolved => "Dealt with",
        DeadLetterStatus.Resubmitted => "Replaced",
        _ => $"{status}",
    };

    /// <summary>The class for people.</summary>
    internal static string Text(FailureClass failureClass) => failureClass switch
    {
        FailureClass.None => "no failure",
        FailureClass.Transient => "no answer or outage",
        FailureClass.ServerError => "server error",
        FailureClass.RateLimited => "too fast",
        FailureClass.Authentication => "sign-in refused",
        FailureClass.Authorization => "not permitted",
        FailureClass.NotFound => "not found",
        FailureClass.Conflict => "changed meanwhile",
        FailureClass.Validation => "data refused",
        FailureClass.Permanent => "cannot succeed as it is",
        FailureClass.Cancelled => "cancelled by the caller",
        _ => $"{failureClass}",
    };

    /// <summary>Why no further attempt was made, for people.</summary>
    internal static string Text(StopReason reason) => reason switch
    {
        StopReason.None => "the call has not ended",
        StopReason.Succeeded => "the last attempt succeeded",
        StopReason.Reconciled => "an earlier attempt had been processed",
        StopReason.Replayed => "a call with the same key was answered before",
        StopReason.KeyInDoubt => "a call with the same key was sent before, and its result is not known",
        StopReason.NotRetryable => "sending the same again cannot help",
        StopReason.UnsafeMethod => "it may have been processed, and has no key that prevents doing it twice",
        StopReason.KeyExpired => "it may have been processed, and the API has forgotten its key by now",
        StopReason.AttemptsExhausted => "all attempts failed",
        StopReason.BodyNotReplayable => "its body could be read only once",
        StopReason.RetryAfterTooLong => "the API asked for a longer wait than allowed",
        StopReason.DeadlineWouldPass => "the time for the call would have ended before the next attempt",
        StopReason.DeadlinePassed => "the time for the call was over",
        StopReason.CircuitOpen => "nothing was sent to the host, as it failed too often",
        StopReason.BudgetExhausted => "the host had as many repeated calls as it may get",
        StopReason.RateLimited => "the host asked for a pause, or its limit was reached",
        StopReason.IntegrationPaused => "the client is paused",
        StopReason.Cancelled => "the caller cancelled it",
        StopReason.HostStopping => "the application stopped meanwhile",
        _ => $"{reason}",
    };

    /// <summary>The state of a circuit for people: half of all readers take "open" for "works".</summary>
    internal static string Text(CircuitState state) => state switch
    {
        CircuitState.Closed => "Works",
        CircuitState.Open => "Nothing is sent",
        CircuitState.HalfOpen => "Being tried",
        CircuitState.Isolated => "Held back",
        _ => $"{state}",
    };

    private static bool TryOf<T>(string word, Func<T, string> wordOf, out T value)
        where T : struct, Enum
    {
        foreach (var known in Enum.GetValues<T>())
        {
            if (wordOf(known) == word)
            {
                value = known;
                return true;
            }
        }

        value = default;
        return false;
    }

    private static string Kebab(string camel) => string.Concat(camel.Select(
        (c, i) => !char.IsAsciiLetterUpper(c) ? $"{c}" : i == 0 ? $"{char.ToLowerInvariant(c)}" : $"-{char.ToLowerInvariant(c)}"));
}
