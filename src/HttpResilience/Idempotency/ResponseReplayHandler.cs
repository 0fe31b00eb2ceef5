using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Answers a keyed call with the stored response of its key, and stores the responses of other keyed calls.
/// <see cref="ResponseReplayRules"/> decide. A failing store does not change the result of a call.
/// </summary>
internal sealed partial class ResponseReplayHandler(
    Client client, AttemptClassifier classifier, RegisteredExtensions extensions, IIdempotencyStore store, ResilienceMeter meter,
    ILogger<ResponseReplayHandler> logger) : ChainHandler
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxPollInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time = client.Time;

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        call.Policy.Idempotency is { RememberFor: { } rememberFor } && call.HasLastingKey
            ? SendOnceAsync(rememberFor, request, call, async, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendOnceAsync(
        TimeSpan rememberFor, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var fingerprint = call.Fingerprint
            ?? await IdempotencyKeyHandler.FingerprintAsync(client, request, call, required: false, async, cancellationToken)
                .ConfigureAwait(false);
        if (!fingerprint.HasBody)
        {
            NotCompared(logger, client.Name, call.IdempotencyKey, call.Policy.Retry.MaxReplayBodyBytes);
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        }

        var reservation = new IdempotencyKeyReservation(client, store, meter, logger, request, call, fingerprint.Hash, rememberFor, async);
        if (await TurnAsync(reservation, call, async, cancellationToken).ConfigureAwait(false) is not { } known)
            return await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        if (known.Response is { } remembered)
            return await AnswerAsync(remembered, request, call, async, cancellationToken).ConfigureAwait(false);

        if (cancellationToken.IsCancellationRequested)
        {
            var undone = known.IsInDoubt ? ResponseReplayOutcome.LeaveInDoubt : ResponseReplayOutcome.Forget;
            await reservation.EndAsync(undone, response: null).ConfigureAwait(false);
            throw new TaskCanceledException("The call was cancelled by its caller.", null, cancellationToken);
        }

        var (outcome, copy) = (ResponseReplayOutcome.LeaveInDoubt, default(RememberedResponse));
        var lease = reservation.KeepLease();
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
            await EndAsync(reservation, lease, outcome, copy, call, async, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Stores the outcome of the call; a caller that has cancelled does not wait for it.</summary>
    private async ValueTask EndAsync(
        IdempotencyKeyReservation reservation, IAsyncDisposable lease, ResponseReplayOutcome outcome, RememberedResponse? response,
        HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var ending = EndAsync(reservation, lease, outcome, response);
        var timeLeft = call.Policy.Remaining(_time.GetTimestamp(), call.Deadline);
        if (ending.IsCompleted || timeLeft <= TimeSpan.Zero)
            return;
        Task waiting = ending.WaitAsync(timeLeft < EndTimeout ? timeLeft : EndTimeout, _time, cancellationToken);
        if (async)
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else
        {
            waiting.ContinueWith(
                static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default)
                .GetAwaiter().GetResult();
        }
    }

    private static async Task EndAsync(
        IdempotencyKeyReservation reservation, IAsyncDisposable lease, ResponseReplayOutcome outcome, RememberedResponse? response)
    {
        await lease.DisposeAsync().ConfigureAwait(false);
        await reservation.EndAsync(outcome, response).ConfigureAwait(false);
    }

    private async ValueTask<RememberedResponse?> CopyAsync(
        HttpResponseMessage response, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var timeLeft = call.Policy.Remaining(_time.GetTimestamp(), call.Deadline);
        var copy = await ResponseCopy.TakeAsync(response, call.Policy.Logging.Redaction, timeLeft, _time, async, cancellationToken)
            .ConfigureAwait(false);
        if (copy is null)
            NotRemembered(logger, client.Name, (int)response.StatusCode, call.IdempotencyKey, ResponseCopy.MaxBodyBytes);
        return copy;
    }

    /// <summary>Waits until no other call holds the key.</summary>
    /// <returns>The stored call then; null when the store fails.</returns>
    private async ValueTask<RememberedCall?> TurnAsync(
        IdempotencyKeyReservation reservation, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        long deadline = call.Deadline;
        for (var pause = FirstLook; ; pause = 2 * pause < MaxPollInterval ? 2 * pause : MaxPollInterval)
        {
            if (await reservation.BeginAsync(cancellationToken).ConfigureAwait(false) is not { } known)
                return null;
            if (known.IsInDoubt)
                call.ContinueInDoubt(known.BegunAt);

            bool canBeFound = extensions.Reconciler is not null;
            switch (ResponseReplayRules.Before(known, reservation.Request, MayBeRepeated(reservation, call), canBeFound))
            {
                case ResponseReplayDecision.RejectReuse when call.Replay is { LacksParameters: true }:
                    reservation.Adopt(known.Fingerprint);
                    continue;
                case ResponseReplayDecision.RejectReuse:
                    throw new IdempotencyKeyReusedException(call.IdempotencyKey!, "method, URI, tenant or body");
                case ResponseReplayDecision.RejectDoubt:
                    call.Stop(StopReason.KeyInDoubt, FailureClass.Transient);
                    await reservation.EndAsync(ResponseReplayOutcome.LeaveInDoubt, response: null).ConfigureAwait(false);
                    throw new IdempotencyKeyInDoubtException(call.IdempotencyKey!, known.BegunAt);
                case ResponseReplayDecision.Wait:
                    long now = _time.GetTimestamp();
                    if (now >= deadline)
                        throw TimedOut(call);
                    await Delay.UntilAsync(_time, Math.Min(deadline, now + call.Policy.ToTimestamp(pause)), async, cancellationToken)
                        .ConfigureAwait(false);
                    continue;
                default:
                    return known;
            }
        }
    }

    private async ValueTask<HttpResponseMessage> AnswerAsync(
        RememberedResponse remembered, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var response = ResponseCopy.ToResponse(remembered, request);
        var head = classifier.ClassifyHead(response, call);
        await classifier.ReadErrorBodyAsync(response, call, head, async, cancellationToken).ConfigureAwait(false);
        call.Stop(StopReason.Replayed, classifier.Classify(response, call, head).FailureClass);
        return response;
    }

    private static bool MayBeRepeated(IdempotencyKeyReservation reservation, HttpCall call) =>
        call.Replay is { IsResolved: true }
        || RetryDecision.MayBeRepeated(call.Policy.Retry, call.Policy.Retry.IsIdempotent(reservation.Method), keyed: call.KeyHolds);

    // The replayer sends the same request to the target of such a redirect (RFC 9110 §15.4.8), which left it unprocessed.
    private static ResponseReplayOutcome OutcomeOf(HttpCall call, int? status) =>
        status is 307 or 308 && call is { Replay: not null, MayHaveBeenProcessed: false } ? ResponseReplayOutcome.Forget
        : ResponseReplayRules.After(status, call.FailureClass, call.StopReason, call.AttemptCount > 0, call.MayHaveBeenProcessed);

    private TaskCanceledException TimedOut(HttpCall call)
    {
        call.Stop(StopReason.DeadlinePassed, FailureClass.Transient);
        string message = $"The call was cancelled because {ClientDeadline.NameOf(call)} of client '{client.Name}' has passed while it "
            + "waited for another call with the same idempotency key; nothing was sent.";
        return new(message, new TimeoutException(message));
    }

    [LoggerMessage(525, LogLevel.Warning,
        "{ClientName}: the call with key {IdempotencyKey} is not stored; its body can be read only once and is longer than "
        + "Retry:MaxReplayBodyBytes ({MaxBytes})")]
    private static partial void NotCompared(ILogger logger, string clientName, string? idempotencyKey, int maxBytes);

    [LoggerMessage(522, LogLevel.Warning,
        "{ClientName}: the {StatusCode} for key {IdempotencyKey} is not stored; its body is incomplete or longer than {MaxBodyBytes} "
        + "bytes. The key is in doubt")]
    private static partial void NotRemembered(ILogger logger, string clientName, int statusCode, string? idempotencyKey, int maxBodyBytes);
}
