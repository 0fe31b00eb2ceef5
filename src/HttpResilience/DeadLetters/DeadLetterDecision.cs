namespace HttpResilience;

/// <summary>Decides whether a failed request is sent again, and when, or needs the review of a person.</summary>
/// <param name="Status">The status of the letter.</param>
/// <param name="Delay">From the failure until the replay; zero when there is none.</param>
/// <param name="SuggestedAction">The suggested action for a person; null when none is needed.</param>
internal readonly record struct DeadLetterDecision(DeadLetterStatus Status, TimeSpan Delay, string? SuggestedAction)
{
    internal const string CheckThenResolve = "Check whether it was processed; then resolve it, or replay it";
    internal const string SetCredentials = "Set credentials by ConfigureHttpClient or a handler, or they cannot be replayed";
    internal const string AddParameters =
        "Add the query parameters that it leaves out by a handler, or they cannot be replayed; or set DeadLetter:Protect";
    internal const string CannotBeSent = "Resubmit it with correct data; as it is stored it cannot be sent: ";
    internal const string EndsTheProcess = "Check why the process ends while it is sent; then replay it";
    private const string FixTheError = "Fix the error, then replay it";
    private const string ResubmitFromSource = "Resubmit it from the source; its body could not be stored";

    /// <summary>
    /// After this number of leases in a row that ended without a result, a letter requires review: other crashes are rarer.
    /// </summary>
    internal const int MaxTakeovers = 3;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromHours(6);
    // A longer Retry-After is more likely a date sent as a duration.
    private static readonly TimeSpan MaxRequestedPause = TimeSpan.FromDays(1);

    /// <summary>The characters of its URI are not valid, or not those that were decided on.</summary>
    internal static DeadLetterDecision NotItsOwnUri =>
        Review("Check its URI, which cannot be sent as it was; then resubmit it, or resolve it");

    /// <summary>A replay would lack a secret of the request.</summary>
    /// <param name="leftOut">Its name (<see cref="DeadLetter.LeftOut"/>).</param>
    internal static DeadLetterDecision Lacks(string leftOut) =>
        Review(LeftOutRules.IsParameter(leftOut, out _) ? AddParameters : SetCredentials);

    /// <summary>What is left out, for a message.</summary>
    internal static string Describe(string leftOut) =>
        $"{(LeftOutRules.IsParameter(leftOut, out string name) ? "query parameter" : "header")} {Redaction.Clean(name)}";

    /// <summary>Whether a failed call is worth a letter.</summary>
    /// <param name="wasOnTheWire">An attempt may have been processed: a cancelled call is then for review.</param>
    internal static bool IsKept(FailureClass failureClass, DeadLetterOptions.CancelledCalls keepCancelled, bool wasOnTheWire) =>
        failureClass switch
        {
            FailureClass.None => false,
            FailureClass.Cancelled => keepCancelled is DeadLetterOptions.CancelledCalls.WhenSent && wasOnTheWire,
            _ => true,
        };

    /// <summary>Decides after the first failure and after each failed replay.</summary>
    /// <param name="failureClass">The class of the failure.</param>
    /// <param name="fate">The known facts about the request.</param>
    /// <param name="retryAfter">The wait that the server or the circuit asks for; null or zero when there is none.</param>
    /// <param name="replays">The number of replays so far.</param>
    /// <param name="maxReplays">The maximum number of replays.</param>
    internal static DeadLetterDecision AfterFailure(
        FailureClass failureClass, LetterFate fate, TimeSpan? retryAfter, int replays, int maxReplays)
    {
        if (failureClass is FailureClass.Cancelled)
            return Review(CheckThenResolve);
        bool mustBeChecked = fate is { MayHaveBeenProcessed: true, MayBeRepeated: false };
        if (ActionFor(failureClass, fate.HasResponse) is { } action)
            return Review(mustBeChecked || fate.MayShowOwnEffect ? CheckThenResolve : action);
        if (fate.BodyIsMissing)
            return Review(ResubmitFromSource);
        if (mustBeChecked)
            return Review(CheckThenResolve);
        if (fate.Lacks is { } lacking)
            return Lacks(lacking);
        if (replays >= maxReplays)
            return Review("Check that the API works, then replay it");
        var delay = retryAfter > TimeSpan.Zero ? TimeSpan.FromTicks(Math.Min(retryAfter.Value.Ticks, MaxRequestedPause.Ticks))
            : Backoff(replays);
        return new(DeadLetterStatus.Pending, delay, null);
    }

    /// <summary>
    /// Two leases in a row ended without a result. Such letters are sent one at a time, and the third lease is counted when the sending
    /// begins: when that ends the process, only this letter requires review, not those that waited beside it.
    /// </summary>
    internal static bool IsSuspect(DeadLetter letter) => letter.Takeovers == MaxTakeovers - 1;

    /// <summary>Decides by the row alone whether a letter may be sent.</summary>
    /// <returns>Null when it may.</returns>
    internal static DeadLetterDecision? OfRow(DeadLetter letter) =>
        DeadLetterRequestRules.ProblemOf(letter) is { } problem ? Review(CannotBeSent + problem)
        : letter.Takeovers >= MaxTakeovers ? Review(EndsTheProcess)
        : null;

    /// <summary>
    /// The action of a replay that a person requested for many letters at once, without looking at each: what may be done twice is not
    /// sent.
    /// </summary>
    internal const string ReplayIfSafe = "ReplayIfSafe";

    /// <summary>Decides whether a due letter is sent.</summary>
    /// <param name="letter">The letter.</param>
    /// <param name="fate">The known facts about the request.</param>
    /// <param name="mayGoThere">The client may send letters to its host.</param>
    /// <param name="keyExpired">The API may have forgotten its key.</param>
    /// <returns>Null when the letter is sent.</returns>
    internal static DeadLetterDecision? BeforeReplay(DeadLetter letter, LetterFate fate, bool mayGoThere, bool keyExpired)
    {
        if (!mayGoThere)
            return Review("Check its destination; if that is right, add the host to DeadLetter:AllowedAuthorities and replay it");
        if (fate.BodyIsMissing)
            return Review(ResubmitFromSource);
        // A person has reviewed the letter and requested the replay.
        if (letter.Resolution is { Action: not ReplayIfSafe })
            return null;
        if (fate is { MayHaveBeenProcessed: true, MayBeRepeated: false })
            return Review(CheckThenResolve);
        if (keyExpired && fate is { MayHaveBeenProcessed: true, NeedsKey: true })
            return Review("Check whether it was processed, as the API may have forgotten its key; then resolve it, or replay it");
        return null;
    }

    private static TimeSpan Backoff(int replays) =>
        replays >= 9 ? MaxDelay : TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, FirstDelay.Ticks << replays));

    private static DeadLetterDecision Review(string action) => new(DeadLetterStatus.RequiresReview, TimeSpan.Zero, action);

    private static string? ActionFor(FailureClass failureClass, bool hasResponse) => failureClass switch
    {
        FailureClass.Transient or FailureClass.ServerError or FailureClass.RateLimited => null,
        FailureClass.Authentication => "Check the API key",
        FailureClass.Authorization => "Check permissions",
        FailureClass.NotFound => "Check the endpoint or id",
        FailureClass.Conflict => "Fetch the current state and resubmit",
        // Such as a certificate that is not trusted.
        FailureClass.Permanent when !hasResponse => FixTheError,
        _ => "Fix the data and resubmit",
    };
}

/// <summary>The known facts about a failed request.</summary>
/// <param name="MayHaveBeenProcessed">The server may have processed an attempt.</param>
/// <param name="MayBeRepeated">A replay is safe even then, or an <see cref="IReconciler"/> can check first.</param>
/// <param name="NeedsKey">A replay is safe only because of the idempotency key.</param>
/// <param name="BodyIsMissing">The body is not stored: the request cannot be sent again unchanged.</param>
internal readonly record struct LetterFate(bool MayHaveBeenProcessed, bool MayBeRepeated, bool NeedsKey, bool BodyIsMissing)
{
    /// <summary>A secret of the request that its letter leaves out and a replay would lack; null when there is none.</summary>
    internal string? Lacks { get; init; }

    /// <summary>The failure may be due to an earlier attempt of the request itself, not to its data.</summary>
    internal bool MayShowOwnEffect { get; private init; }

    /// <summary>The API has answered: the failure is about the request.</summary>
    internal bool HasResponse { get; private init; }

    /// <summary>
    /// The same facts after a response: 412 (RFC 9110 §15.5.13), and with a key or a condition 409 and 422 (draft Idempotency-Key §2.7)
    /// also come when an earlier attempt was processed. So does an error of the application's own code after the response.
    /// </summary>
    /// <param name="status">The status of the response; null when there was none.</param>
    /// <param name="isGuarded">The request has an idempotency key or a condition.</param>
    internal LetterFate After(int? status, bool isGuarded) =>
        this with
        {
            HasResponse = status is not null,
            MayShowOwnEffect = MayHaveBeenProcessed && (status is null || status is 412 || (isGuarded && status is 409 or 422)),
        };

    internal static LetterFate Of(
        RetryPolicy policy, HttpMethod method, bool keyed, bool mayHaveBeenProcessed, bool bodyIsMissing, bool canBeFound)
    {
        bool idempotent = policy.IsIdempotent(method);
        return new(
            mayHaveBeenProcessed,
            canBeFound || (policy.Repeats(method) && RetryDecision.MayBeRepeated(policy, idempotent, keyed)),
            !canBeFound && !RetryDecision.MayBeRepeated(policy, idempotent, keyed: false),
            bodyIsMissing);
    }
}
