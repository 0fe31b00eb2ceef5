namespace HttpResilience.AspNetCore;

/// <summary>What the page says of letters and groups, in sentences.</summary>
internal static class LetterTexts
{
    /// <summary>What a letter is called: the first of the tags that name letters, else method and path.</summary>
    internal static string NameOf(DeadLetter letter, IEnumerable<string> titleTags)
    {
        foreach (string tag in titleTags)
        {
            if (letter.Tags.TryGetValue(tag, out string? value) && !string.IsNullOrWhiteSpace(value))
                return value;
        }

        return $"{letter.Method} {letter.Uri.AbsolutePath}";
    }

    /// <summary>The heading of a letter.</summary>
    internal static string HeadingOf(DeadLetter letter, string name) => letter.Status switch
    {
        DeadLetterStatus.RequiresReview => letter.StatusCode is not null ? $"{name} was refused" : $"{name} got no answer",
        DeadLetterStatus.Pending => $"{name} waits to be sent",
        DeadLetterStatus.InProgress => $"{name} is being sent",
        DeadLetterStatus.Replayed => $"{name} was accepted",
        DeadLetterStatus.Resolved => $"{name} is dealt with",
        DeadLetterStatus.Resubmitted => $"{name} was replaced",
        _ => name,
    };

    /// <summary>The shape of a status.</summary>
    internal static string KindOf(DeadLetterStatus status) => status switch
    {
        DeadLetterStatus.RequiresReview => "person",
        DeadLetterStatus.Pending => "wait",
        DeadLetterStatus.InProgress => "busy",
        DeadLetterStatus.Replayed => "good",
        _ => "done",
    };

    internal static string KindOf(CircuitState state) => state switch
    {
        CircuitState.Closed => "good",
        CircuitState.Open => "bad",
        CircuitState.HalfOpen => "busy",
        _ => "held",
    };

    /// <summary>Why a letter failed, in one line: the status or the exception, and the class in words.</summary>
    internal static string ReasonOf(DeadLetter letter) =>
        $"{(letter.StatusCode is { } code ? PageTimes.Invariant($"{code}") : "no response")} {LetterWords.Text(letter.FailureClass)}";

    /// <summary>What a group means, and what a person can do.</summary>
    internal static string MeaningOf(FailureClass failureClass) => failureClass switch
    {
        FailureClass.Validation => "The API refuses the data. Sending the same again does not help: correct the letters, or have the cause "
            + "corrected at its source and send all of them again.",
        FailureClass.Authentication => "The API does not accept the sign-in of this application. Renew its credentials, then send the "
            + "letters again.",
        FailureClass.Authorization => "The API does not permit this. Have the permission granted, then send the letters again.",
        FailureClass.NotFound => "The API does not know what the request is about. Look there whether it exists, then correct or close the "
            + "letters.",
        FailureClass.Conflict => "It was changed there meanwhile. Look at its state there, then send or close the letters.",
        FailureClass.RateLimited => "The API had more requests than it allows. The letters can be sent again, slowly.",
        FailureClass.Transient => "The API did not answer, or not in time. The letters can be sent again when it does.",
        FailureClass.ServerError => "The API failed by itself. The letters can be sent again when it works.",
        FailureClass.Cancelled => "The application ended the call before there was an answer.",
        _ => "Sending the same again does not help. Read what the API says, then correct or close the letters.",
    };

    /// <summary>What to do next, short, for lists.</summary>
    internal static string StepOf(DeadLetterGroup group, PageTimes times) =>
        group.RequiresReview > 0 ? Short(group.Newest.SuggestedAction) ?? "Look at one of them"
        : group.Pending > 0 && group.Newest is { Status: DeadLetterStatus.Pending, DueAt: var due }
            ? due > times.Now ? $"next one at {times.Clock(due)}" : "next one now"
        : "";

    /// <summary>Whether sending a letter again may do something twice, and why not.</summary>
    internal static string RiskOf(DeadLetter letter) => IsUncertain(letter)
        ? "It may have been processed and has no key: look there first."
        : letter.MayHaveBeenProcessed ? "It may have been processed, and goes out under the same key, by which the API knows it."
        : letter.IdempotencyKey is not null ? "Nothing is done twice: it was refused or did not arrive, and it goes out under the same key."
        : "Nothing is done twice: it was refused or did not arrive.";

    /// <summary>What a group is called.</summary>
    internal static string TitleOf(DeadLetterGroup group) => group.OtherReasons > 0 ? LetterWords.OtherReasons : group.Newest.Title;

    /// <summary>The page of a group, below the prefix: that of other reasons is the list of its letters.</summary>
    internal static string PathOf(DeadLetterGroup group) => group.OtherReasons == 0 ? $"groups/{group.Fingerprint}"
        : "letters?view=list" + string.Concat(GroupModel.Of(group).Filter.Select(w => $"&{w.Key}={Uri.EscapeDataString(w.Value)}"));

    /// <summary>A person must look there before it is sent again as it is.</summary>
    internal static bool IsUncertain(DeadLetter letter) => letter is { MayHaveBeenProcessed: true, IdempotencyKey: null };

    private static string? Short(string? action) => action is null ? null
        : action.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? action[..colon]
        : ForeignText.Visible(action, 60);
}
