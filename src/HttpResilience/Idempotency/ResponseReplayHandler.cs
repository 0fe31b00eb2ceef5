using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Answers a call whose idempotency key is remembered with the response that the key got before, and remembers what others get. <see cref="ResponseReplayRules"/>
/// decide. A store that fails leaves calls as they would be without it.
/// </summary>
internal sealed partial class ResponseReplayHandler(
    ClientState client, AttemptClassifier classifier, RegisteredExtensions extensions, IIdempotencyStore store, ResilienceMeter meter,
    ILogger<ResponseReplayHandler> logger) : ChainHandler
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxPollInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time = client.Time;

    protected override ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        call.Policy.Idempotency is { RememberFor: { } rememberFor } && call.HasLastingKey
            ? SendOnceAsync(rememberFor, request, call, async, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendOnceAsync(
        TimeSpan rememberFor, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var fingerprint = call.Fingerprint ?? await IdempotencyKeyHandler.FingerprintAsync(request, call, required: false, async, cancellationToken).ConfigureAwait(false);
        if (!fingerprint.HasBody)
        {
            NotCompared(logger, client.Name, call.IdempotencyKey, call.Policy.Retry.MaxReplayBodyBytes);
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        }

        var memory = new IdempotencyKeyReservation(client, store, meter, logger, request, call, fingerprint.Hash, rememberFor, async);
        if (await TurnAsync(memory, call, async, cancellationToken).ConfigureAwait(false) is not { } known)
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        if (known.Response is { } remembered)
            return Answer(remembered, request, call);

        if (cancellationToken.IsCancellationRequested)
        {
            await memory.EndAsync(known.IsInDoubt ? ResponseReplayOutcome.LeaveInDoubt : ResponseReplayOutcome.Forget, response: null).ConfigureAwait(false);
            throw new TaskCanceledException("The call was cancelled by its caller.", null, cancellationToken);
        }

        var (outcome, copy) = (ResponseReplayOutcome.LeaveInDoubt, default(RememberedResponse));
        var lease = memory.KeepLease();
        try
        {
            var response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
            outcome = OutcomeOf(call, (int)response.StatusCode);
            if (outcome is ResponseReplayOutcome.Remember)
                copy = await CopyAsync(response, call, async, cancellationToken).ConfigureAwait(false);
            return response;
        }
        catch
        {
            outcome = OutcomeOf(call, status: null);
            throw;
        }
        finally
        {
            await EndAsync(memory, lease, outcome, copy, call, async, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Writes down what has become of the call; whoever made it, and has left, does not wait for that.</summary>
    private async ValueTask EndAsync(
        IdempotencyKeyReservation memory, IAsyncDisposable lease, ResponseReplayOutcome outcome, RememberedResponse? response, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var ending = EndAsync(memory, lease, outcome, response);
        var timeLeft = call.Policy.Remaining(_time.GetTimestamp(), client.Deadline.Of(call));
        if (ending.IsCompleted || timeLeft <= TimeSpan.Zero)
            return;
        Task waiting = ending.WaitAsync(timeLeft < EndTimeout ? timeLeft : EndTimeout, _time, cancellationToken);
        if (async)
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else
            waiting.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).GetAwaiter().GetResult();
    }

    private static async Task EndAsync(IdempotencyKeyReservation memory, IAsyncDisposable lease, ResponseReplayOutcome outcome, RememberedResponse? response)
    {
        await lease.DisposeAsync().ConfigureAwait(false);
        await memory.EndAsync(outcome, response).ConfigureAwait(false);
    }

    private async ValueTask<RememberedResponse?> CopyAsync(HttpResponseMessage response, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var timeLeft = call.Policy.Remaining(_time.GetTimestamp(), client.Deadline.Of(call));
        var copy = await ResponseCopy.TakeAsync(response, call.Policy.Logging.Redaction, timeLeft, _time, async, cancellationToken).ConfigureAwait(false);
        if (copy is null)
            NotRemembered(logger, client.Name, (int)response.StatusCode, call.IdempotencyKey, ResponseCopy.MaxBodyBytes);
        return copy;
    }

    /// <summary>Waits until nobody else is at a call with the key.</summary>
    /// <returns>What is known of it then; null when the store cannot tell.</returns>
    private async ValueTask<RememberedCall?> TurnAsync(IdempotencyKeyReservation memory, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        long deadline = client.Deadline.Of(call);
        for (var pause = FirstLook; ; pause = 2 * pause < MaxPollInterval ? 2 * pause : MaxPollInterval)
        {
            if (await memory.BeginAsync(cancellationToken).ConfigureAwait(false) is not { } known)
                return null;
            if (known.IsInDoubt)
                call.ContinueInDoubt(known.BegunAt);

            switch (ResponseReplayRules.Before(known, memory.Request, MayBeRepeated(memory, call), extensions.Reconciler is not null))
            {
                case ResponseReplayDecision.RejectReuse:
                    throw new IdempotencyKeyReusedException(call.IdempotencyKey!, "method, URI, tenant or body");
                case ResponseReplayDecision.RejectDoubt:
                    call.Stop(StopReason.KeyInDoubt, FailureClass.Transient);
                    await memory.EndAsync(ResponseReplayOutcome.LeaveInDoubt, response: null).ConfigureAwait(false);
                    throw new IdempotencyKeyInDoubtException(call.IdempotencyKey!, known.BegunAt);
                case ResponseReplayDecision.Wait:
                    long now = _time.GetTimestamp();
                    if (now >= deadline)
                        throw TimedOut(call);
                    await Delay.UntilAsync(_time, Math.Min(deadline, now + call.Policy.ToTimestamp(pause)), async, cancellationToken).ConfigureAwait(false);
                    continue;
                default:
                    return known;
            }
        }
    }

    private HttpResponseMessage Answer(RememberedResponse remembered, HttpRequestMessage request, HttpCall call)
    {
        var response = ResponseCopy.ToResponse(remembered, request);
        call.Stop(StopReason.Replayed, classifier.Classify(response, call, classifier.ClassifyHead(response, call)).FailureClass);
        return response;
    }

    private static bool MayBeRepeated(IdempotencyKeyReservation memory, HttpCall call) =>
        call.Replay is { IsResolved: true }
        || RetryDecision.MayBeRepeated(call.Policy.Retry, memory.Method.IsIdempotent, keyed: !call.KeyHasExpired);

    private static ResponseReplayOutcome OutcomeOf(HttpCall call, int? status) =>
        ResponseReplayRules.After(status, call.FailureClass, call.StopReason, call.AttemptCount > 0, call.MayHaveBeenProcessed);

    private TaskCanceledException TimedOut(HttpCall call)
    {
        call.Stop(StopReason.DeadlinePassed, FailureClass.Transient);
        string message = $"The call was cancelled because {client.Deadline.NameOf(call)} of client '{client.Name}' has passed while it waited for another call with the same idempotency key; nothing was sent.";
        return new(message, new TimeoutException(message));
    }

    [LoggerMessage(525, LogLevel.Warning, "{ClientName}: the call with key {IdempotencyKey} is not remembered, as its body can be read only once and is not known to fit into Retry:MaxReplayBodyBytes ({MaxBytes})")]
    private static partial void NotCompared(ILogger logger, string clientName, string? idempotencyKey, int maxBytes);

    [LoggerMessage(522, LogLevel.Warning, "{ClientName}: the {StatusCode} for key {IdempotencyKey} is not remembered, as its body did not come whole or is longer than {MaxBodyBytes} bytes; the key is in doubt")]
    private static partial void NotRemembered(ILogger logger, string clientName, int statusCode, string? idempotencyKey, int maxBodyBytes);
}
