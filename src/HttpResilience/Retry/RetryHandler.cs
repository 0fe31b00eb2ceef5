using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Owns the deadline of a call, its attempts, their timeouts and the waits between them. <see cref="RetryDecision"/> decides.</summary>
internal sealed partial class RetryHandler(ClientState client, ILogger<RetryHandler> logger) : ChainHandler
{
    private readonly TimeProvider _time = client.Time;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    protected override async ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var policy = call.Policy;
        long startedAt = call.StartedAt;
        bool bodyIsReplayable = call.BodyIsKept || RequestBody.IsReplayable(request.Content);
        if (!bodyIsReplayable)
        {
            bodyIsReplayable = call.BodyIsKept = await RequestBody.TryKeepAsync(request.Content!, policy.Retry.MaxReplayBodyBytes, async, cancellationToken).ConfigureAwait(false);
            // The time that the body took to come is the call's, not the attempt's.
            startedAt = _time.GetTimestamp();
        }

        var original = new RequestSnapshot(request);
        long deadline = client.LastAttemptEndOf(call);
        double random = 0;
        if (client.ErrorBudget.IsPaused)
            client.ErrorBudget.Admit(call);
        bool looksFirst = call.MayHaveBeenProcessed && MustLookFirst(call, original);
        client.FindHost(request, call);
        var timer = client.Timers.Rent(cancellationToken);
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                if (call.Host is { } host && host.Pause?.Until > startedAt && !host.Circuit.IsOpenAt(startedAt))
                    startedAt = await PauseAsync(call, host, LatestStart(call, original, deadline), async, cancellationToken).ConfigureAwait(false);

                if (looksFirst)
                {
                    if (await UserHooks.FindAsync(client, request, call, deadline, async, cancellationToken).ConfigureAwait(false) is { } found)
                        return found;
                    startedAt = _time.GetTimestamp();
                }

                if (attempt > 1)
                    Resend.Begin(client, call, request);
                HttpResponseMessage? response = null;
                Exception? exception = null;
                AttemptResult result;
                call.Timer = timer;
                timer.Start(startedAt, policy.AttemptEndFrom(startedAt, deadline));
                try
                {
                    response = await NextAsync(request, call, async, timer.Token).ConfigureAwait(false);
                    result = client.Classifier.ClassifyHead(response, call);
                    // What the head of a failure says, such as Retry-After, holds whatever becomes of its body.
                    if (policy.Retry.IncludeResponseBody && result.IsSuccess)
                        await ResponseBody.ReadAsync(response, client.MaxResponseContentBufferSize, async, timer.Token).ConfigureAwait(false);
                    result = client.Classifier.Classify(response, call, result);
                    if (CanBeResolved(result))
                        await ResponseBody.ReadAsync(response, client.MaxResponseContentBufferSize, async, timer.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (!IsRejected(call, e, timer))
                {
                    response?.Dispose();
                    (response, exception) = (null, e);
                    result = client.Classifier.Classify(e, call, timer.HasExpired, cancellationToken.IsCancellationRequested);
                }

                long endedAt = _time.GetTimestamp();
                NotifyNext(call, result, endedAt);
                if (result.IsSuccess)
                {
                    call.Succeed(result, startedAt, endedAt);
                    return response!;
                }

                call.Record(result, exception, startedAt, endedAt);
                double previousRandom = random;
                random = client.Random.NextDouble();
                var retryable = new RetryableRequest(original.IsIdempotent, call.IdempotencyKey is not null, bodyIsReplayable, call.MaxRetryAttempts)
                {
                    MayHaveBeenProcessed = call.MayHaveBeenProcessed,
                    CanBeFound = client.Supplied.Reconciler is not null,
                    CanBeResolved = response is not null && CanBeResolved(result),
                    KeyExpiresIn = policy.Remaining(endedAt, policy.KeyEndFrom(call.KeyStartedAt)),
                };
                var decision = RetryDecision.Decide(policy.Retry, result, retryable, attempt, policy.Remaining(endedAt, deadline), random, previousRandom);
                decision = ApplyHostLimits(call, decision, result, endedAt);
                if (!decision.IsRetry)
                {
                    call.Stop(decision.StopReason, result.FailureClass);
                    if (decision.StopReason is StopReason.CircuitOpen)
                    {
                        original.Restore(request);
                        response?.Dispose();
                        throw client.CircuitOpen(call, endedAt, exception);
                    }

                    return response ?? throw ToCallerException(exception!, call, cancellationToken);
                }

                original.Restore(request);
                if (decision.ResolvesFirst)
                {
                    if (!await ResolveAsync(request, response!, call, deadline, async, cancellationToken).ConfigureAwait(false))
                        return response!;
                    (original, bodyIsReplayable) = (new(request), call.BodyIsKept);
                    call.Revised = original;
                }

                response?.Dispose();
                looksFirst = decision.LooksFirst;
                WillRetry(request, call, attempt, result, exception, decision.Delay);
                if (!timer.Stop())
                    timer = client.Timers.Exchange(timer, cancellationToken);
                await Delay.UntilAsync(_time, endedAt + policy.ToTimestamp(decision.Delay), async, cancellationToken).ConfigureAwait(false);
                startedAt = _time.GetTimestamp();
            }
        }
        finally
        {
            original.RecordOriginal(request);
            call.Timer = null;
            client.Timers.Return(timer);
        }
    }

    private async ValueTask<bool> ResolveAsync(
        HttpRequestMessage request, HttpResponseMessage conflict, HttpCall call, long deadline, bool async, CancellationToken cancellationToken)
    {
        try
        {
            return await UserHooks.ResolveAsync(client, request, conflict, call, deadline, async, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // The caller gets the exception instead of it.
            conflict.Dispose();
            throw;
        }
    }

    private bool CanBeResolved(in AttemptResult result) => result.FailureClass is FailureClass.Conflict && client.Supplied.ConflictResolver is not null;

    // What became of a request that is sent again after the call that it was first sent by is as open as ever.
    private bool MustLookFirst(HttpCall call, in RequestSnapshot original) => client.Supplied.Reconciler is not null
        && !RetryDecision.MayBeRepeated(call.Policy.Retry, original.IsIdempotent, keyed: call.IdempotencyKey is not null && !call.KeyHasExpired);

    // A request that may have been processed is not held back until its key has expired.
    private static long LatestStart(HttpCall call, in RequestSnapshot original, long deadline) =>
        !call.MayHaveBeenProcessed || original.IsIdempotent || call.Policy.Retry.UnsafeMethods is UnsafeMethods.Always
            ? deadline : Math.Min(deadline, call.Policy.KeyEndFrom(call.KeyStartedAt));

    /// <summary>Waits until a host that asked to be left alone may be called again.</summary>
    /// <param name="latest">The timestamp before which that must be.</param>
    /// <returns>The timestamp at which that is.</returns>
    private async ValueTask<long> PauseAsync(HttpCall call, HostState host, long latest, bool async, CancellationToken cancellationToken)
    {
        var pause = host.Pause!;
        long arrivedAt = _time.GetTimestamp();
        int ahead = pause.Enter();
        try
        {
            for (long now = arrivedAt; ; now = _time.GetTimestamp())
            {
                if (pause.AdmitAt(now, arrivedAt, ahead, latest, _time.TimestampFrequency, client.Random.NextDouble()) is not { } at)
                {
                    call.Stop(StopReason.RateLimited, FailureClass.RateLimited);
                    throw new RateLimitedException(host.Key.Authority.ToString(), _time.GetElapsedTime(now, pause.Until));
                }

                if (at <= now)
                    return now;
                await Delay.UntilAsync(_time, at, async, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            pause.Leave();
        }
    }

    /// <summary>What is known of the host can only speak against a retry.</summary>
    private RetryDecision ApplyHostLimits(HttpCall call, RetryDecision decision, in AttemptResult result, long endedAt)
    {
        if (call.Host is not { } host)
            return decision;

        var policy = call.Policy;
        client.ApplyRetryAfter(host, policy, result, endedAt);
        if (!decision.IsRetry)
            return decision;
        if (call.IsCircuitOpenAt(endedAt + policy.ToTimestamp(decision.Delay)))
            return RetryDecision.Stop(StopReason.CircuitOpen);
        return policy.Retry.Budget is { } budget && !host.GetOrAddBudget().TrySpend(budget, endedAt) ? RetryDecision.Stop(StopReason.BudgetExhausted) : decision;
    }

    // Called from a filter: what goes on to the caller as it is need not be thrown a second time.
    private bool IsRejected(HttpCall call, Exception exception, AttemptTimer timer)
    {
        // A handler inside the chain may have calls of its own, to an integration that is paused.
        if (exception is not (CircuitOpenException or RateLimitedException or IntegrationPausedException))
            return false;

        NotifyNext(call, FailureClassifier.Classify(exception, timer.HasExpired, cancelled: false), _time.GetTimestamp());
        if (exception is CircuitOpenException)
            call.Stop(StopReason.CircuitOpen, FailureClass.Transient);
        else if (exception is IntegrationPausedException)
            call.Stop(StopReason.IntegrationPaused, FailureClass.Transient);
        else
            call.Stop(StopReason.RateLimited, FailureClass.RateLimited);
        return true;
    }

    /// <summary>What the caller sees of the last exception: a timeout or a cancellation in the shape that <see cref="HttpClient"/> gives them.</summary>
    private Exception ToCallerException(Exception exception, HttpCall call, CancellationToken cancellationToken)
    {
        if (call.AttemptTimedOut)
        {
            string message = call.StopReason is StopReason.DeadlinePassed
                ? $"The call was cancelled because {client.DeadlineNameOf(call)} of client '{client.Name}' has passed."
                : $"The attempt was cancelled because AttemptTimeout ({call.Policy.AttemptTimeout}) of client '{client.Name}' has passed.";
            return new TaskCanceledException(message, new TimeoutException(message, exception));
        }

        if (call.FailureClass is FailureClass.Cancelled && (exception as OperationCanceledException)?.CancellationToken != cancellationToken)
            return new TaskCanceledException("The call was cancelled by its caller.", exception, cancellationToken);
        ExceptionDispatchInfo.Throw(exception);
        return exception;
    }

    private void WillRetry(HttpRequestMessage request, HttpCall call, int attempt, in AttemptResult result, Exception? exception, TimeSpan delay)
    {
        client.Meter.WillRetry(call, request, result, exception);
        if (!logger.IsEnabled(call.Policy.Logging.RetryLevel))
            return;
        string outcome = result.StatusCode?.ToString(CultureInfo.InvariantCulture) ?? exception!.GetType().Name;
        WillRetry(logger, call.Policy.Logging.RetryLevel, client.Name, request.Method.Method, HttpAuthority.NameOf(request),
            call.Policy.Logging.Redaction.PathOf(request, call), attempt, outcome, (long)delay.TotalMilliseconds);
    }

    [LoggerMessage(EventId = 201, Message = "{ClientName} {Method} {Authority}{Path}: attempt {Attempt} got {Outcome}, next in {DelayMs} ms")]
    private static partial void WillRetry(
        ILogger logger, LogLevel level, string clientName, string method, string authority, string path, int attempt, string outcome, long delayMs);
}
