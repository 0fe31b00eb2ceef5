namespace HttpResilience;

/// <summary>A letter as it is stored after a replay, with the version it was read with.</summary>
internal static class ReplayResult
{
    internal static LetterFate FateOf(Client client, ResiliencePolicy policy, DeadLetter letter) =>
        FateOf(client, policy, letter, letter.MayHaveBeenProcessed);

    // A client without keys sends none for a letter from before the name of its header field was stored.
    private static LetterFate FateOf(Client client, ResiliencePolicy policy, DeadLetter letter, bool mayHaveBeenProcessed) => LetterFate.Of(
        policy.Retry, new HttpMethod(letter.Method),
        policy.KeyHoldsLater && LetterKey.FieldOf(letter, policy.Idempotency) is not null,
        mayHaveBeenProcessed, letter.BodyIsMissing, client.Get<RegisteredExtensions>()!.Reconciler is not null);

    /// <summary>Whether the client may send letters to a host.</summary>
    internal static bool MayGoThere(Client client, Uri uri, Uri? baseAddress, IServiceProvider services) =>
        client.Policy.ClientDeadLetter is { } policy && (policy.MayGoTo(uri, baseAddress)
            || BaseAddresses.Of(client).Contains(uri, client.Name, services));

    /// <summary>A letter that is not sent.</summary>
    internal static DeadLetter NotSent(DeadLetter letter, DeadLetterDecision reason) =>
        letter with { Status = reason.Status, SuggestedAction = reason.SuggestedAction };

    /// <summary>A letter whose redirect was followed.</summary>
    internal static DeadLetter Following(DeadLetter letter, HttpCall call) => letter with
    {
        Attempts = letter.Attempts + call.AttemptCount,
        MayHaveBeenProcessed = call.MayHaveBeenProcessed,
    };

    /// <summary>A letter whose redirect is not followed.</summary>
    /// <param name="isProcessed">The request may have been processed: the redirect does not ask for it elsewhere.</param>
    /// <param name="target">Where it leads; null when that is not known.</param>
    internal static DeadLetter Redirected(
        DeadLetter letter, HttpCall call, DeadLetterDecision reason, bool isProcessed, Uri? target, DateTimeOffset now)
    {
        return letter with
        {
            Status = reason.Status,
            DueAt = now,
            SuggestedAction = reason.SuggestedAction,
            Replays = letter.Replays + 1,
            Attempts = letter.Attempts + call.AttemptCount,
            LastFailedAt = now,
            FailureClass = FailureClass.Permanent,
            StopReason = StopReason.NotRetryable,
            MayHaveBeenProcessed = call.MayHaveBeenProcessed || isProcessed,
            StatusCode = call.LastStatusCode,
            ErrorType = null,
            // Its path and query may hold secrets.
            ErrorTitle = target is null ? "Redirected" : $"Redirected to {new HttpAuthority(target)}",
            ErrorDetail = null,
            // A resolution holds for one replay.
            Resolution = null,
        };
    }

    internal static DeadLetter Accepted(DeadLetter letter, HttpCall call, DateTimeOffset now) => letter with
    {
        Status = DeadLetterStatus.Replayed,
        DueAt = now,
        Replays = letter.Replays + 1,
        Attempts = letter.Attempts + call.AttemptCount,
        StatusCode = (int?)call.LastAttempt?.StatusCode,
        StopReason = call.StopReason,
        SuggestedAction = null,
    };

    internal static DeadLetter Failed(
        DeadLetter letter, Client client, HttpCall call, in LetterFailure failure, bool hasResponse, DateTimeOffset now)
    {
        // A call that an open circuit or a pause rejected before it was sent does not count as a replay.
        bool wasRejected = call is
        {
            AttemptCount: 0,
            StopReason: StopReason.CircuitOpen or StopReason.RateLimited or StopReason.IntegrationPaused,
        };
        int replays = letter.Replays + (wasRejected ? 0 : 1);
        bool isGuarded = letter.IdempotencyKey is not null || letter.Headers.Any(h => RequestSnapshot.IsCondition(h.Key));
        var fate = FateOf(client, call.Policy, letter, call.MayHaveBeenProcessed).After(failure.StatusCode, isGuarded);
        var decision = DeadLetterDecision.AfterFailure(
            call.FailureClass, fate, failure.RetryAfter, replays,
            (call.Policy.DeadLetter ?? call.Policy.ClientDeadLetter)?.MaxReplays ?? 0);
        return letter with
        {
            Status = decision.Status,
            DueAt = now + decision.Delay,
            SuggestedAction = decision.SuggestedAction,
            Replays = replays,
            Attempts = letter.Attempts + call.AttemptCount,
            LastFailedAt = now,
            FailureClass = call.FailureClass,
            StopReason = call.StopReason,
            MayHaveBeenProcessed = call.MayHaveBeenProcessed,
            StatusCode = hasResponse ? failure.StatusCode : null,
            ErrorType = failure.ErrorType,
            ErrorTitle = failure.Title,
            ErrorDetail = failure.Detail,
            // A resolution holds for one replay.
            Resolution = null,
        };
    }

    internal static DeadLetter Cancelled(DeadLetter letter, DateTimeOffset now) =>
        letter with { Status = DeadLetterStatus.Pending, DueAt = now, MayHaveBeenProcessed = true, Resolution = null };

    internal static DeadLetter FailedOutside(DeadLetter letter, Exception exception, DateTimeOffset now) => letter with
    {
        Status = DeadLetterStatus.RequiresReview,
        SuggestedAction = DeadLetterDecision.CheckThenResolve,
        MayHaveBeenProcessed = true,
        Resolution = null,
        ErrorType = exception.GetType().Name,
        // The message of an exception from outside the chain may hold secrets.
        ErrorTitle = "The replay failed outside the chain; see the log",
        ErrorDetail = null,
        LastFailedAt = now,
    };
}
