using Polly;

namespace HttpResilience;

/// <summary>A hedged attempt, with the requests it has sent so far. It is carried by the context of Polly's pipeline.</summary>
/// <param name="request">The caller's request. Copies of it are sent, because parallel requests cannot share a message.</param>
/// <param name="admit">Takes the tickets of a call's host; false when a circuit holds it back.</param>
/// <param name="cancellationToken">Ends the attempt as a whole.</param>
internal sealed class HedgedAttempt(
    Client client, HttpRequestMessage request, HttpCall call, Func<HttpCall, long, bool> admit,
    CancellationToken cancellationToken)
{
    private static readonly ResiliencePropertyKey<HedgedAttempt> Key = new("HttpResilience.HedgedAttempt");

    private readonly List<HedgedTry> _tries = new(2);
    private readonly EndpointRouting _endpoints = EndpointRouting.Of(client);
    private volatile bool _mayGoOn = true;

    internal HttpCall Call => call;

    internal CancellationToken CancellationToken => cancellationToken;

    internal IReadOnlyList<HedgedTry> Tries => _tries;

    /// <summary>The attempt allows another request.</summary>
    internal bool MayGoOn => _mayGoOn;

    /// <summary>
    /// Whether another request is sent now; it is taken from the retry budget. After a Retry-After of the host no other request is sent.
    /// </summary>
    internal bool GoOn(long now)
    {
        if (_mayGoOn && !GoesElsewhere(now)
            && (!IsAllowed() || call.IsCircuitOpenAt(now) || call.Host?.PauseAt(now, call.Tenant) is not null || !IsInBudget(now)))
            _mayGoOn = false;
        return _mayGoOn;
    }

    /// <summary>How long the requests in flight may take before another one is sent.</summary>
    internal TimeSpan Delay(HedgingPolicy policy) => policy.LearnsDelay && call.Host?.Requests.For(call).HedgeDelay is { } learned
        // The unit of timers.
        ? TimeSpan.FromMilliseconds(Math.Ceiling(call.Time.GetElapsedTime(0, learned).TotalMilliseconds)) : policy.Delay;

    /// <summary>The attempt begins: where the delay is learned, its requests count.</summary>
    internal void CountRequest()
    {
        if (LearnsDelay)
            call.Host?.Requests.For(call).CountRequest();
    }

    // Cancelled requests count, with the time that they had; failures are often fast, and say nothing about answers.
    private void Learn(HedgedTry ended)
    {
        if (LearnsDelay && ended.WasSent && (ended.Result.CircuitOutcome is CircuitOutcome.Success
            || ended.Result.FailureClass is FailureClass.Cancelled))
            ended.Call.Host?.Requests.For(call).Add(ended.EndedAt - ended.StartedAt, ended.EndedAt);
    }

    private bool LearnsDelay => call.Policy.Hedging is { LearnsDelay: true };

    // After a failure the next request is a retry.
    private bool IsAllowed() =>
        !LearnsDelay || _tries.Exists(t => t.EndedAt != 0) || call.Host?.Requests.For(call).TryHedge() is not false;

    internal static HedgedAttempt Of(ResilienceContext context) => context.Properties.GetValue(Key, null!);

    internal void Enter(ResilienceContext context) => context.Properties.Set(Key, this);

    internal HedgedTry Begin(long now)
    {
        var branch = call.Branch(now, _tries.Count(t => t.WasSent));
        if (_tries.Count > 0 && GoesElsewhere(now))
            _endpoints.ChooseBeside(call, branch, now, admit);
        var begun = new HedgedTry(HedgedRequest.CopyOf(request, branch), branch, request.Method.IsSafe);
        _tries.Add(begun);
        return begun;
    }

    internal void End(HedgedTry ended, HttpResponseMessage? response, Exception? exception, in AttemptResult result, long now)
    {
        ended.End(response, exception, result, now);
        Learn(ended);
        if (!ended.HasWon && !HedgingDecision.MayFollow(result))
            _mayGoOn = false;
    }

    /// <summary>The call takes over what belongs to the request whose result is that of the attempt.</summary>
    internal void Join(HttpCall chosen)
    {
        call.Join(chosen);
        EndpointRouting.Join(call, chosen);
    }

    /// <summary>
    /// The request whose result is that of the attempt: a winner, even if it ended during the cancellation of the attempt; else the one
    /// with the longest Retry-After, else the first.
    /// </summary>
    internal HedgedTry Choose() => _tries.Find(t => t.HasWon) ?? _tries.MaxBy(t => t.Result.RetryAfter ?? TimeSpan.Zero)!;

    // Another endpoint is not that which the first request burdens; the first request may be processed while the next one is sent.
    private bool GoesElsewhere(long now) => _endpoints.HasOther(
        call, call.Policy.Retry.IsIdempotent(request.Method), mayHaveBeenProcessed: true, untried: true, now);

    private bool IsInBudget(long now) =>
        call.Policy.Retry.Budget is not { } budget || call.Host is not { } host
        || host.GetOrAddBudget(call.Policy, now).TrySpend(budget, now);
}
