namespace HttpResilience;

/// <summary>What becomes of a request that has failed: when it is sent again, or why a person has to look at it.</summary>
/// <param name="Status">Where it is on its way.</param>
/// <param name="Delay">From the failure until it is sent again; zero when it is not.</param>
/// <param name="SuggestedAction">What a person can do; null when none is needed.</param>
internal readonly record struct DeadLetterDecision(DeadLetterStatus Status, TimeSpan Delay, string? SuggestedAction)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromHours(6);
    // A server that names a time beyond that has more likely taken a date for a duration.
    private static readonly TimeSpan MaxRequestedPause = TimeSpan.FromDays(1);

    /// <summary>Whether a failed call is worth a letter.</summary>
    /// <param name="hasResponse">False: it ended with an exception. What is wrong with a program or a certificate, sending it again does not heal.</param>
    internal static bool IsKept(FailureClass failureClass, bool hasResponse) =>
        failureClass is not (FailureClass.None or FailureClass.Cancelled) && (hasResponse || failureClass is not FailureClass.Permanent);

    /// <summary>Decides after a failure, the first or that of a replay.</summary>
    /// <param name="failureClass">What kind of failure it was.</param>
    /// <param name="fate">What is known of the request.</param>
    /// <param name="retryAfter">How long the server, or the circuit, asks to wait. Null or zero: not said.</param>
    /// <param name="replays">How often it has been sent again by now.</param>
    /// <param name="maxReplays">How often that may be.</param>
    internal static DeadLetterDecision AfterFailure(FailureClass failureClass, LetterFate fate, TimeSpan? retryAfter, int replays, int maxReplays)
    {
        if (ActionFor(failureClass) is { } action)
            return Review(action);
        if (fate.BodyIsMissing)
            return Review("Send it again from where it came; its body could not be kept");
        if (fate is { MayHaveBeenProcessed: true, MayBeRepeated: false })
            return Review("Check whether it was processed; then resolve it, or replay it");
        if (replays >= maxReplays)
            return Review("Check whether the API is well, then replay it");
        return new(DeadLetterStatus.Pending, retryAfter > TimeSpan.Zero ? TimeSpan.FromTicks(Math.Min(retryAfter.Value.Ticks, MaxRequestedPause.Ticks)) : Backoff(replays), null);
    }

    /// <summary>Decides whether a letter that is due is sent.</summary>
    /// <param name="letter">The letter.</param>
    /// <param name="fate">What is known of the request.</param>
    /// <param name="mayGoThere">Its host is one that the client sends to.</param>
    /// <param name="keyExpired">The API may have forgotten its key.</param>
    /// <returns>Null when it is sent.</returns>
    internal static DeadLetterDecision? BeforeReplay(DeadLetter letter, LetterFate fate, bool mayGoThere, bool keyExpired)
    {
        if (!mayGoThere)
            return Review("Check where it would go to; if that is right, add the host to DeadLetter:AllowedAuthorities and replay it");
        if (fate.BodyIsMissing)
            return Review("Send it again from where it came; its body could not be kept");
        // Somebody has looked at it and wants it sent.
        if (letter.Resolution is not null)
            return null;
        if (fate is { MayHaveBeenProcessed: true, MayBeRepeated: false })
            return Review("Check whether it was processed; then resolve it, or replay it");
        if (keyExpired && fate is { MayHaveBeenProcessed: true, NeedsKey: true })
            return Review("Check whether it was processed, as the API may have forgotten its key; then resolve it, or replay it");
        return null;
    }

    private static TimeSpan Backoff(int replays) => replays >= 9 ? MaxDelay : TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, FirstDelay.Ticks << replays));

    private static DeadLetterDecision Review(string action) => new(DeadLetterStatus.RequiresReview, TimeSpan.Zero, action);

    private static string? ActionFor(FailureClass failureClass) => failureClass switch
    {
        FailureClass.Transient or FailureClass.ServerError or FailureClass.RateLimited => null,
        FailureClass.Authentication => "Check the API key",
        FailureClass.Authorization => "Check permissions",
        FailureClass.NotFound => "Check the endpoint or id",
        FailureClass.Conflict => "Fetch the current state and resubmit",
        _ => "Fix the data and resubmit",
    };
}

/// <summary>What is known of a request that has failed.</summary>
/// <param name="MayHaveBeenProcessed">An attempt may have been processed.</param>
/// <param name="MayBeRepeated">Sending it again does no harm even so, or can be made certain first (<see cref="IReconciler"/>).</param>
/// <param name="NeedsKey">That is only so because of its key.</param>
/// <param name="BodyIsMissing">It cannot be sent again as it was.</param>
internal readonly record struct LetterFate(bool MayHaveBeenProcessed, bool MayBeRepeated, bool NeedsKey, bool BodyIsMissing)
{
    internal static LetterFate Of(RetryPolicy policy, HttpMethod method, bool keyed, bool mayHaveBeenProcessed, bool bodyIsMissing, bool canBeFound)
    {
        bool idempotent = method.IsIdempotent;
        return new(
            mayHaveBeenProcessed,
            canBeFound || RetryDecision.MayBeRepeated(policy, idempotent, keyed),
            !canBeFound && !RetryDecision.MayBeRepeated(policy, idempotent, keyed: false),
            bodyIsMissing);
    }
}
