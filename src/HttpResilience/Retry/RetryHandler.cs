using System.Globalization;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Owns the deadline of a call, its attempts and the delays between them. <see cref="Attempt"/> is one try, <see cref="RetryDecision"/>
/// decides about the next.
/// </summary>
internal sealed partial class RetryHandler(
    Client client, AttemptClassifier classifier, RegisteredExtensions extensions, HostLimits limits, ResilienceMeter meter,
    ILogger<RetryHandler> logger)
    : ChainHandler
{
    private readonly UserHooks _hooks = new(client, extensions);
    private readonly TimeProvider _time = client.Time;
    private readonly CallObservers? _observers = client.Observers;
    private readonly EndpointRouting _endpoints = EndpointRouting.Of(client);

    protected override bool EndsCallsInItsFrame => true;

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (_observers?.CallStarting(client, call) is { } refusal)
            return Reject(call, refusal);
        bool mustReconcileFirst = _hooks.MustReconcileFirst(call, request.Method);
        bool isRouted = call.Policy.Endpoints is not null && _endpoints.Begin(call, request.Method, request.RequestUri);
        if (!isRouted)
            client.Hosts.FindFor(call, request.Method, request.RequestUri);
        if (HostPauseWait.RejectionOf(call, request.Method) is { } tooLong)
            return Reject(call, tooLong);
        var attempt = Attempt.Rent(client, classifier, request, call, LeadsToTransport, async, cancellationToken);
        (attempt.MustReconcileFirst, attempt.IsRouted) = (mustReconcileFirst, isRouted);
        if (async && !mustReconcileFirst && !isRouted
            && !HostPauseWait.IsNeeded(call, call.StartedAt) && (call.TryTakeTickets() || call.IsRejectedNow(attempt.Deadline)))
            return SendFirst(attempt);
        return AttemptsAsync(attempt);
    }

    // The first attempt has no frame before something must be waited for, and a rejection has none at all.
    private ValueTask<HttpResponseMessage> SendFirst(Attempt attempt)
    {
        var call = attempt.Call;
        if (!attempt.TryBegin())
            return AttemptsAsync(attempt);
        ValueTask<HttpResponseMessage> sending;
        try
        {
            sending = NextAsync(attempt.Request, call, async: true, attempt.Token);
        }
        catch (Exception e)
        {
            sending = ValueTask.FromException<HttpResponseMessage>(e);
        }

        var task = sending.AsTask();
        if (call.RejectionIn(task) is not { } rejection)
        {
            attempt.Sending = task;
            return new(FirstAsync(attempt));
        }
        EndRejected(call, rejection);
        Return(attempt);
        return new(task);
    }

    // The only frame of most calls. As the outermost one it also ends the call.
    private async Task<HttpResponseMessage> FirstAsync(Attempt attempt)
    {
        try
        {
            try
            {
                var response = await attempt.Sending!.ConfigureAwait(false);
                attempt.Receive(response);
                if (!attempt.ReadsAhead && !RequestBody.AwaitsResponse(attempt.Original.Content))
                    attempt.Classify();
            }
            catch (Exception e) when (!IsRejected(attempt.Call, e))
            {
                attempt.Fail(e);
            }

            if (attempt is not { IsClassified: true, Result.IsSuccess: true } || !TryEnd(attempt))
            {
                var answer = await LoopAsync(attempt).ConfigureAwait(false);
                attempt.Answer = answer;
            }
        }
        catch (Exception e) when (Return(attempt, e))
        {
            throw;
        }

        var end = EndAsync(attempt);
        return end.IsCompletedSuccessfully ? end.Result : await end.AsTask().ConfigureAwait(false);
    }

    private ValueTask<HttpResponseMessage> EndAsync(Attempt attempt)
    {
        var (call, asked, response) = (attempt.Call, attempt.Asked, attempt.Answer ?? attempt.Response!);
        var cancellationToken = attempt.Caller;
        Return(attempt);
        return call.LeavesItsEnd ? Outermost!.EndAsync(call, asked, response, async: true, cancellationToken) : new(response);
    }

    private async ValueTask<HttpResponseMessage> AttemptsAsync(Attempt attempt)
    {
        attempt.Call.LeavesItsEnd = false;
        try
        {
            return await LoopAsync(attempt).ConfigureAwait(false);
        }
        finally
        {
            Return(attempt);
        }
    }

    private async Task<HttpResponseMessage> LoopAsync(Attempt attempt)
    {
        var (call, async, cancellationToken) = (attempt.Call, attempt.IsAsync, attempt.Caller);
        try
        {
            while (true)
            {
                if (!attempt.IsRunning)
                {
                    if (attempt.IsRouted)
                        await RouteAsync(attempt).ConfigureAwait(false);
                    if (await BeforeAsync(attempt).ConfigureAwait(false) is { } found)
                        return found;
                    // Here, because the span of the resend is that of this frame.
                    if (attempt.Number > 0)
                        Resend.Begin(client.Time, meter, call, attempt.Request);
                    if (!attempt.TryBegin())
                        attempt.Token.ThrowIfCancellationRequested();
                }

                try
                {
                    if (!attempt.HasEnd)
                        attempt.Receive(await NextAsync(attempt.Request, call, async, attempt.Token).ConfigureAwait(false));
                    if (attempt is { Exception: null, IsClassified: false })
                    {
                        await RequestBody.OnResponseAsync(attempt.Original.Content, async, attempt.Token).ConfigureAwait(false);
                        if (attempt.ReadsAhead)
                            await attempt.ReadAheadAsync().ConfigureAwait(false);
                        attempt.Classify();
                    }
                    if (_hooks.CanResolve(attempt))
                        await attempt.ReadBodyAsync().ConfigureAwait(false);
                }
                catch (Exception e) when (!IsRejected(call, e))
                {
                    attempt.Fail(e);
                }

                if (TryEnd(attempt))
                    return attempt.Response!;

                var decision = Decide(call, attempt);
                if (!decision.IsRetry)
                    return Stop(decision.StopReason, attempt);

                attempt.MustReconcileFirst = decision.ReconcilesFirst;
                attempt.StartsAt = attempt.EndedAt + call.Policy.ToTimestamp(decision.Delay);
                attempt.TryRestore();
                if (decision.ResolvesFirst)
                {
                    if (!await _hooks.ResolveAsync(attempt.Request, attempt.Response!, call, attempt.Deadline, async, cancellationToken)
                        .ConfigureAwait(false))
                        return attempt.Response!;
                    attempt.Revise();
                }

                if (RequestBody.IsBeingWritten(attempt.Original.Content)
                    && !await RequestBody.TryRecordAsync(attempt.Original.Content, async, cancellationToken).ConfigureAwait(false))
                {
                    var reason = _time.GetTimestamp() >= attempt.Deadline ? StopReason.DeadlinePassed : StopReason.BodyNotReplayable;
                    return Stop(reason, attempt);
                }

                if (_observers is not null)
                {
                    await _observers.RetryingAsync(
                        client, call, attempt.Response, attempt.Exception, DelayAfter(attempt), async, cancellationToken)
                        .ConfigureAwait(false);
                }

                attempt.Response?.Dispose();
                WillRetry(attempt, DelayAfter(attempt));
                attempt.StopTimer();
                await WaitingCalls.UntilAsync(client, call, attempt.StartsAt, async, cancellationToken).ConfigureAwait(false);
                attempt.StartsAt = _time.GetTimestamp();
                if (!attempt.TryRestore())
                {
                    attempt.DropBody();
                    return Stop(StopReason.BodyNotReplayable, attempt);
                }
            }
        }
        catch (OperationCanceledException e) when (CallerException.EndsWait(call, attempt.Deadline, cancellationToken))
        {
            throw CallerException.Of(e, client, call, cancellationToken);
        }
    }

    private TimeSpan DelayAfter(Attempt attempt) => _time.GetElapsedTime(attempt.EndedAt, attempt.StartsAt);

    private async ValueTask RouteAsync(Attempt attempt)
    {
        var call = attempt.Call;
        bool isIdempotent = call.Policy.Retry.IsIdempotent(attempt.Original.Method);
        if (_endpoints.Choose(call, isIdempotent, attempt.StartsAt, TryAdmit))
            await attempt.RenewKeyAsync().ConfigureAwait(false);
        attempt.SendToEndpoint();
    }

    // What comes before an attempt: the pause of the host, the turn at its circuit, the search for what an earlier attempt has made.
    private async ValueTask<HttpResponseMessage?> BeforeAsync(Attempt attempt)
    {
        var (call, method, deadline) = (attempt.Call, attempt.Original.Method, attempt.Deadline);
        var (async, cancellationToken) = (attempt.IsAsync, attempt.Caller);
        if (HostPauseWait.IsNeeded(call, attempt.StartsAt))
        {
            attempt.StartsAt = await HostPauseWait.WaitAsync(client, call, method, deadline, async, cancellationToken)
                .ConfigureAwait(false);
        }
        if (call.CircuitTicket == CircuitMachine.NoTicket && !call.TryTakeTickets())
            attempt.StartsAt = await TurnAsync(call, method, deadline, async, cancellationToken).ConfigureAwait(false);
        // Last: what was not found before a wait may have been processed after it.
        if (attempt.MustReconcileFirst)
        {
            if (await _hooks.FindAsync(attempt.Request, call, deadline, async, cancellationToken).ConfigureAwait(false) is { } found)
                return found;
            attempt.StartsAt = _time.GetTimestamp();
        }
        return null;
    }

    private bool TryEnd(Attempt attempt)
    {
        attempt.End();
        NotifyInnerStages(attempt.Call, attempt.Result, attempt.EndedAt);
        if (client.Hosts.ApplyRateLimit(attempt.Call, attempt.Request, attempt.Response, attempt.EndedAt) is { } paused)
            meter.Paused(client.Name, paused, attempt.Result.StatusCode);
        return attempt.Record();
    }

    private void Return(Attempt attempt)
    {
        if ((attempt.Call.CircuitTicket | attempt.Call.TenantTicket) != CircuitMachine.NoTicket)
            NotifyNotSent(attempt.Call);
        attempt.Call.GiveBackQuotaTurn();
        attempt.Return();
    }

    // A filter, so that the exception is not caught and rethrown.
    private bool Return(Attempt attempt, Exception exception)
    {
        var (call, asked, cancelled) = (attempt.Call, attempt.Asked, attempt.Caller.IsCancellationRequested);
        Return(attempt);
        if (call.LeavesItsEnd)
            Outermost!.Fail(call, asked, exception, cancelled);
        return false;
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

    private RetryDecision Decide(HttpCall call, Attempt attempt)
    {
        var (policy, endedAt, previousRandom) = (call.Policy, attempt.EndedAt, attempt.Random);
        ref readonly var original = ref attempt.Original;
        attempt.Random = client.Random.NextDouble();
        int? maxRetryAttempts = policy.Retry.Repeats(original.Method) ? call.MaxRetryAttempts : 0;
        bool isIdempotent = policy.Retry.IsIdempotent(original.Method);
        bool isLeft = attempt.IsRouted && _endpoints.HasOther(
            call, isIdempotent, call.MayHaveBeenProcessed, untried: false, endedAt);
        var request = new RetryableRequest(
            isIdempotent, call.IdempotencyKey is not null, original.IsReplayable, maxRetryAttempts)
        {
            MayHaveBeenProcessed = call.MayHaveBeenProcessed,
            CanBeFound = extensions.Reconciler is not null,
            CanBeResolved = _hooks.CanResolve(attempt),
            GoesElsewhere = isLeft && _endpoints.HasOther(
                call, isIdempotent, call.MayHaveBeenProcessed, untried: true, endedAt),
            KeyExpiresIn = policy.Remaining(endedAt, policy.KeyEndFrom(call.KeyStartedAt)),
        };
        var remaining = policy.Remaining(endedAt, attempt.Deadline);
        var decision = RetryDecision.Decide(
            policy.Retry, isLeft ? attempt.Result with { RetryAfter = null } : attempt.Result, request, attempt.Number, remaining,
            attempt.Random, previousRandom);
        if (call.Host is not { } host)
            return decision;

        if (client.Hosts.ApplyRetryAfter(call, attempt.Result, endedAt) is { } paused)
            meter.Paused(client.Name, paused, attempt.Result.StatusCode);
        return decision.IsRetry && !request.GoesElsewhere ? limits.Apply(
            decision, call, host, endedAt, HostPauseWait.LatestStart(call, original.Method, attempt.Deadline), isLeft) : decision;
    }

    private HttpResponseMessage Stop(StopReason reason, Attempt attempt)
    {
        var call = attempt.Call;
        call.Stop(reason, attempt.Result.FailureClass);
        if (reason is not StopReason.CircuitOpen)
            return attempt.Response ?? throw CallerException.Of(attempt.Exception!, client, call, attempt.Caller);

        attempt.TryRestore();
        attempt.Response?.Dispose();
        throw CallerException.CircuitOpen(client, call, attempt.EndedAt, attempt.Exception);
    }

    // A filter, so that a rejection is not caught and rethrown.
    private bool IsRejected(HttpCall call, Exception exception)
    {
        // The rejection may come from another call that a handler inside the chain makes.
        if (exception is not RejectedException rejected || classifier.IsAfterSending(rejected, call))
            return false;
        EndRejected(call, rejected);
        return true;
    }

    private void EndRejected(HttpCall call, RejectedException rejected)
    {
        call.CountRejection(rejected);
        NotifyInnerStages(call, FailureClassifier.Classify(rejected, call.AttemptTimedOut, cancelled: false), _time.GetTimestamp());
        call.Stop(rejected.StopReason, rejected.FailureClass);
    }

    private void WillRetry(Attempt attempt, TimeSpan delay)
    {
        var (call, request) = (attempt.Call, attempt.Request);
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
