using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Polly;

namespace HttpResilience;

/// <summary>
/// Sends a slow request a second time and takes the first good response. Polly's hedging keeps the time; <see cref="HedgingDecision"/>
/// decides.
/// </summary>
internal sealed partial class HedgingHandler(
    Client client, AttemptClassifier classifier, ResilienceMeter meter, ILogger<HedgingHandler> logger) : ChainHandler
{
    private readonly TimeProvider _time = client.Time;

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        // A synchronous call blocks its only thread, so that it cannot send a second request.
        async && call.Policy.Hedging is { } policy && call.Policy.Retry.Repeats(request.Method)
            && HedgingDecision.AppliesTo(
                call.Policy.Retry.IsIdempotent(request.Method), call.IdempotencyKey is not null, call.Policy.Retry.UnsafeMethods,
                call.MaxRetryAttempts)
            ? HedgeAsync(policy, request, call, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);

    private async ValueTask<HttpResponseMessage> HedgeAsync(
        HedgingPolicy policy, HttpRequestMessage request, HttpCall call, CancellationToken cancellationToken)
    {
        if (request.Content is { } body
            && !await RequestBody.TryShareAsync(body, call.Policy.Retry.MaxReplayBodyBytes, cancellationToken).ConfigureAwait(false))
            return await NextAsync(request, call, async: true, cancellationToken).ConfigureAwait(false);

        Resend.WillCopy(meter, call, request);
        var attempt = new HedgedAttempt(client, request, call, TryAdmit, cancellationToken);
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);
        attempt.Enter(context);
        attempt.CountRequest();
        Outcome<HedgedTry> outcome;
        try
        {
            outcome = await HedgingPipeline.Of(policy, _time).ExecuteOutcomeAsync(
                static (context, state) => state.Handler.TryAsync(state.Request, state.Attempt, context.CancellationToken), context,
                (Handler: this, Request: request, Attempt: attempt)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }

        if (attempt.Tries.Count == 0)
            outcome.ThrowIfException();
        var chosen = outcome.Result is { HasWon: true } winner ? winner : attempt.Choose();
        Settle(attempt, chosen);
        if (chosen.Exception is { } exception)
            ExceptionDispatchInfo.Throw(exception);
        return HedgedRequest.Answer(request, chosen.Request, chosen.Response!);
    }

    private async ValueTask<Outcome<HedgedTry>> TryAsync(
        HttpRequestMessage request, HedgedAttempt attempt, CancellationToken cancellationToken)
    {
        var call = attempt.Call;
        var begun = attempt.Begin(_time.GetTimestamp());
        if (attempt.Tries.Count > 1)
        {
            WillHedge(request, call, attempt.Tries.Count);
            CallSpan.Enter(_time, call, request, attempt.Tries[0].Request);
        }

        HttpResponseMessage? response = null;
        Exception? exception = null;
        AttemptResult result;
        try
        {
            var sending = NextAsync(begun.Request, begun.Call, async: true, cancellationToken).AsTask();
            response = await UnlessLostAsync(sending, cancellationToken, attempt.CancellationToken).ConfigureAwait(false);
            begun.Call.Receive(response, begun.Request, request.Method, begun.Uri);
            result = classifier.ClassifyHead(response, begun.Call);
            if (call.Policy.Retry.IncludeResponseBody && result.IsSuccess)
            {
                await ResponseBody.ReadAsync(response, client.MaxResponseContentBufferSizeOf(request), async: true, cancellationToken)
                    .ConfigureAwait(false);
            }

            await classifier.ReadErrorBodyAsync(response, call, result, async: true, cancellationToken).ConfigureAwait(false);
            result = classifier.Classify(response, begun.Call, result);
        }
        catch (Exception e)
        {
            exception = e;
            bool timedOut = call.AttemptTimedOut || (attempt.CancellationToken.IsCancellationRequested && call.IsPastDeadline);
            begun.Call.Fail(e, begun.Request, request.Method, begun.Uri);
            result = classifier.Classify(e, request.Method, begun.Call, timedOut, cancellationToken.IsCancellationRequested);
        }

        attempt.End(begun, response, exception, result, _time.GetTimestamp());
        if (!begun.HasWon)
            NotifyEnded(begun);
        return Outcome.FromResult(begun);
    }

    /// <summary>
    /// Reports how a request ended. Failures are reported immediately, so that an open circuit or a pause applies to the next request; the
    /// retry stage reports the winner.
    /// </summary>
    private void NotifyEnded(HedgedTry ended)
    {
        NotifyInnerStages(ended.Call, ended.Result, ended.EndedAt);
        if (client.Hosts.ApplyRetryAfter(ended.Call, ended.Result, ended.EndedAt) is { } paused)
            meter.Paused(client.Name, paused, ended.Result.StatusCode);
    }

    /// <summary>
    /// A losing request that ignores its cancellation must not delay the response of the call; its own response is disposed.
    /// </summary>
    private static async Task<HttpResponseMessage> UnlessLostAsync(
        Task<HttpResponseMessage> sending, CancellationToken ofTry, CancellationToken ofAttempt)
    {
        await ((Task)sending.WaitAsync(ofTry)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (sending.IsCompleted || ofAttempt.IsCancellationRequested)
            return await sending.ConfigureAwait(false);

        _ = sending.ContinueWith(Discard, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        throw new OperationCanceledException(ofTry);
    }

    private static void Discard(Task<HttpResponseMessage> late)
    {
        if (late.IsCompletedSuccessfully)
            late.Result.Dispose();
        else
            // Read, so that it does not count as unobserved.
            _ = late.Exception;
    }

    /// <summary>Records the losing requests in the call, and releases their circuits and responses.</summary>
    private void Settle(HedgedAttempt attempt, HedgedTry chosen)
    {
        foreach (var loser in attempt.Tries)
        {
            attempt.Call.WasSent |= loser.Call.WasSent;
            if (loser == chosen)
                continue;
            if (loser.HasWon)
                NotifyEnded(loser);
            if (loser.WasSent)
                attempt.Call.Record(loser.Result, loser.Exception, loser.StartedAt, loser.EndedAt);
            // A mock may answer both requests with one object.
            if (loser.Response?.Content != chosen.Response?.Content)
                loser.Response?.Dispose();
        }

        attempt.Join(chosen.Call);
        attempt.Call.JoinWire(chosen.Call);
    }

    private void WillHedge(HttpRequestMessage request, HttpCall call, int number)
    {
        if (logger.IsEnabled(call.Policy.Logging.RetryLevel))
            WillHedge(logger, call.Policy.Logging.RetryLevel, client.Name, request.Method.Method, HttpAuthority.NameOf(request),
                call.Policy.Logging.Redaction.PathOf(request, call), number);
    }

    [LoggerMessage(
        EventId = 211, Message = "{ClientName} {Method} {Authority}{Path}: no good response yet; request {Number} is sent in parallel")]
    private static partial void WillHedge(
        ILogger logger, LogLevel level, string clientName, string method, string authority, string path, int number);
}
