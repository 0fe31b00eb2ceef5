using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Owns the deadline of a call, its attempts and the delays between them. <see cref="Attempt"/> is one try, <see cref="RetryDecision"/>
/// decides about the next.
/// </summary>
internal sealed partial class RetryHandler(
    Client client, AttemptClassifier classifier, RegisteredExtensions extensions, ResilienceMeter meter, ILogger<RetryHandler> logger)
    : ChainHandler
{
    private readonly UserHooks _hooks = new(client, extensions);
    private readonly TimeProvider _time = client.Time;
    private readonly CallObservers? _observers = client.Observers;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    protected override async ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var (asked, startedAt, original) = (request, call.StartedAt, new RequestSnapshot(request));
        var (deadline, random) = (ClientDeadline.LastAttemptEndOf(call), 0.0);
        _observers?.CallStarting(client, call);
        bool mustReconcileFirst = _hooks.MustReconcileFirst(call, original.Method);
        client.Hosts.FindFor(call, request.RequestUri);
        var attempt = new Attempt(client, classifier, call, async, cancellationToken);
        try
        {
            while (true)
            {
                if (HostPauseWait.IsNeeded(call, startedAt))
                {
                    startedAt = await HostPauseWait.WaitAsync(client, call, original.Method, deadline, async, cancellationToken)
                        .ConfigureAwait(false);
                }
                if (!call.TryTakeTickets())
                    startedAt = await TurnAsync(call, original.Method, deadline, async, cancellationToken).ConfigureAwait(false);
                // Last: what was not found before a wait may have been processed after it.
                if (mustReconcileFirst)
                {
                    if (await _hooks.FindAsync(request, call, deadline, async, cancellationToken).ConfigureAwait(false) is { } found)
                        return found;
                    startedAt = _time.GetTimestamp();
                }
                if (attempt.Number > 0)
                    Resend.Begin(client.Time, meter, call, request);
                attempt.Begin(startedAt, deadline);
                try
                {
                    attempt.Receive(await NextAsync(request, call, async, attempt.Token).ConfigureAwait(false), request, original);
                    await RequestBody.OnResponseAsync(original.Content, async, attempt.Token).ConfigureAwait(false);
                    if (attempt.ReadsAhead)
                        await attempt.ReadAheadAsync(request, async).ConfigureAwait(false);
                    attempt.Classify();
                    if (_hooks.CanResolve(attempt))
                        await attempt.ReadBodyAsync(request, async).ConfigureAwait(false);
                }
                catch (Exception e) when (!IsRejected(call, e))
                {
                    attempt.Fail(e, request, original, deadline, cancellationToken.IsCancellationRequested);
                }

                attempt.End();
                NotifyInnerStages(call, attempt.Result, attempt.EndedAt);
                if (attempt.Record())
                    return attempt.Response!;

                var decision = Decide(call, attempt, original, deadline, ref random);
                if (!decision.IsRetry)
                    return Stop(decision.StopReason, request, call, attempt, original, cancellationToken);

                (mustReconcileFirst, startedAt) = (decision.ReconcilesFirst, attempt.EndedAt + call.Policy.ToTimestamp(decision.Delay));
                request = original.Restore(request) ?? request;
                if (decision.ResolvesFirst
                    && !await _hooks.ResolveAsync(request, attempt.Response!, call, deadline, async, cancellationToken)
                        .ConfigureAwait(false))
                    return attempt.Response!;
                if (decision.ResolvesFirst)
                    call.Revised = original = new(request);

                if (RequestBody.IsBeingWritten(original.Content)
                    && !await RequestBody.TryRecordAsync(original.Content, async, cancellationToken).ConfigureAwait(false))
                {
                    var reason = _time.GetTimestamp() >= deadline ? StopReason.DeadlinePassed : StopReason.BodyNotReplayable;
                    return Stop(reason, request, call, attempt, original, cancellationToken);
                }

                attempt.Response?.Dispose();
                WillRetry(request, call, attempt, _time.GetElapsedTime(attempt.EndedAt, startedAt));
                attempt.StopTimer(cancellationToken);
                await WaitingCalls.UntilAsync(client, call, startedAt, async, cancellationToken).ConfigureAwait(false);
                startedAt = _time.GetTimestamp();
                if (original.Restore(request) is not { } resent)
                    return Stop(StopReason.BodyNotReplayable, request, call, attempt.WithoutBody(), original, cancellationToken);
                request = resent;
            }
        }
        catch (OperationCanceledException e) when (CallerException.EndsWait(call, deadline, cancellationToken))
        {
            throw CallerException.Of(e, client, call, cancellationToken);
        }
        finally
        {
            if ((call.CircuitTicket | call.TenantTicket) != CircuitMachine.NoTicket)
                NotifyNotSent(call);
            original.RecordOriginal(asked);
            attempt.ReturnTimer();
        }
    }

    private async ValueTask<long> TurnAsync(
        HttpCall call, HttpMethod method, long deadline, bool async, CancellationToken cancellationToken)
    {
        while (true)
        {
            long latest = HostPauseWait.LatestStart(call, method, deadline);
            long now = await AdmitAsync(call, latest, async, cancellationToken).ConfigureAwait(false);
            // A pause of the host may begin during the wait.
            if (!HostPauseWait.IsNeeded(call, now))
                return now;
            NotifyNotSent(call);
            now = await HostPauseWait.WaitAsync(client, call, method, deadline, async, cancellationToken).ConfigureAwait(false);
            if (call.TryTakeTickets())
                return now;
        }
    }

    private RetryDecision Decide(
        HttpCall call, in Attempt attempt, in RequestSnapshot original, long deadline, ref double random)
    {
        var (policy, endedAt) = (call.Policy, attempt.EndedAt);
        double previousRandom = random;
        random = client.Random.NextDouble();
        int? maxRetryAttempts = policy.Retry.Repeats(original.Method) ? call.MaxRetryAttempts : 0;
        var request = new RetryableRequest(
            policy.Retry.IsIdempotent(original.Method), call.IdempotencyKey is not null, original.IsReplayable, maxRetryAttempts)
        {
            MayHaveBeenProcessed = call.MayHaveBeenProcessed,
            CanBeFound = extensions.Reconciler is not null,
            CanBeResolved = _hooks.CanResolve(attempt),
            KeyExpiresIn = policy.Remaining(endedAt, policy.KeyEndFrom(call.KeyStartedAt)),
        };
        var remaining = policy.Remaining(endedAt, deadline);
        var decision = RetryDecision.Decide(policy.Retry, attempt.Result, request, attempt.Number, remaining, random, previousRandom);
        if (call.Host is not { } host)
            return decision;

        if (client.Hosts.ApplyRetryAfter(call, attempt.Result, endedAt) is { } paused)
            meter.Paused(client.Name, paused, attempt.Result.StatusCode);
        return decision.IsRetry ? HostLimits.Apply(
            decision, call, host, endedAt, HostPauseWait.LatestStart(call, original.Method, deadline)) : decision;
    }

    private HttpResponseMessage Stop(
        StopReason reason, HttpRequestMessage request, HttpCall call, in Attempt attempt, in RequestSnapshot original,
        CancellationToken cancellationToken)
    {
        call.Stop(reason, attempt.Result.FailureClass);
        if (reason is not StopReason.CircuitOpen)
            return attempt.Response ?? throw CallerException.Of(attempt.Exception!, client, call, cancellationToken);

        original.Restore(request);
        attempt.Response?.Dispose();
        throw CallerException.CircuitOpen(client, call, attempt.EndedAt, attempt.Exception);
    }

    // A filter, so that a rejection is not caught and rethrown.
    private bool IsRejected(HttpCall call, Exception exception)
    {
        // The rejection may come from another call that a handler inside the chain makes.
        if (exception is not RejectedException rejected || classifier.IsAfterSending(rejected, call))
            return false;

        NotifyInnerStages(call, FailureClassifier.Classify(exception, call.AttemptTimedOut, cancelled: false), _time.GetTimestamp());
        call.Stop(rejected.StopReason, rejected.FailureClass);
        return true;
    }

    private void WillRetry(HttpRequestMessage request, HttpCall call, in Attempt attempt, TimeSpan delay)
    {
        meter.WillRetry(call, request, attempt.Result, attempt.Exception);
        if (!logger.IsEnabled(call.Policy.Logging.RetryLevel))
            return;
        string outcome = attempt.Result.StatusCode?.ToString(CultureInfo.InvariantCulture) ?? attempt.Exception!.GetType().Name;
        WillRetry(logger, call.Policy.Logging.RetryLevel, client.Name, request.Method.Method, HttpAuthority.NameOf(request),
            call.Policy.Logging.Redaction.PathOf(request, call), attempt.Number, outcome, (long)delay.TotalMilliseconds);
    }

    [LoggerMessage(
        EventId = 201, Message = "{ClientName} {Method} {Authority}{Path}: attempt {Attempt} got {Outcome}, next in {DelayMs} ms")]
    private static partial void WillRetry(
        ILogger logger, LogLevel level, string clientName, string method, string authority, string path, int attempt, string outcome,
        long delayMs);
}
