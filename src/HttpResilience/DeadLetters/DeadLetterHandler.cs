using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Stores a finally failed request before the caller gets the failure. <see cref="DeadLetterDecision"/> decides whether and when it is sent
/// again. A failing store does not change the result of the call.
/// </summary>
internal sealed partial class DeadLetterHandler(
    Client client, AttemptClassifier classifier, RegisteredExtensions extensions, IDeadLetterStore store, IHttpClientFactory clients,
    DeadLetterMeter meter, ILogger<DeadLetterHandler> logger) : ChainHandler
{
    // A slow disk must not hold up the call for longer.
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BodyTimeout = StoreTimeout / 2;

    private readonly TimeProvider _time = client.Time;
    private readonly LetterCredentials _credentials = LetterCredentials.Of(client, clients, logger);
    private readonly WaitingCalls _waiting = WaitingCalls.Of(client);

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        call.Policy.DeadLetter is { } policy && call.Replay is null && policy.AppliesTo(request.Method)
            && request.RequestUri is { IsAbsoluteUri: true }
            ? SendOrKeepAsync(policy, request, call, async, cancellationToken)
            : NextAsync(request, call, async, cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendOrKeepAsync(
        DeadLetterPolicy policy, HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        var original = new RequestSnapshot(request);
        _credentials.Check(request, call);
        WaitingCalls.Keep(call);
        try
        {
            var response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
            if (!IsKept(policy, call))
                return response;
            var failure = await LetterFailure.OfAsync(response, request, call, classifier, _time, async, cancellationToken)
                .ConfigureAwait(false);
            await KeepAsync(policy, request, call.Revised ?? original, call, failure, async).ConfigureAwait(false);
            return response;
        }
        catch (Exception e) when (IsKept(policy, call))
        {
            await KeepAsync(policy, request, call.Revised ?? original, call, LetterFailure.Of(e, request, call), async)
                .ConfigureAwait(false);
            throw;
        }
        finally
        {
            _waiting.Leave(call);
        }
    }

    private static bool IsKept(DeadLetterPolicy policy, HttpCall call) => DeadLetterDecision.IsKept(
        call.FailureClass, policy.KeepCancelled, wasOnTheWire: call.MayHaveBeenProcessed && call.AttemptCount > 0);

    private async ValueTask KeepAsync(
        DeadLetterPolicy policy, HttpRequestMessage request, RequestSnapshot original, HttpCall call, LetterFailure failure, bool async)
    {
        using var timeout = new CancellationTokenSource(StoreTimeout, _time);
        Guid? id = null;
        try
        {
            var body = await BodyOfAsync(original, request, call, policy.MaxBodyBytes, async).ConfigureAwait(false);
            var (leftOut, lacks) = _credentials.LeftOutOf(original, request, call);
            var letter = DeadLetterRequest.ToLetter(
                policy, original, request, call, failure, body, leftOut, lacks, canBeFound: extensions.Reconciler is not null);
            id = letter.Id;
            // Not cancelled with the caller: the letter is stored even when the caller no longer waits.
            var keeping = store.AddAsync(letter, timeout.Token).WaitAsync(timeout.Token);
            if (async)
                await keeping.ConfigureAwait(false);
            else
                keeping.GetAwaiter().GetResult();
            call.DeadLetterId = letter.Id;
        }
        catch (Exception e)
        {
            meter.Lost(client.Name, original.Uri);
            client.Observers?.LetterLost(client, call);
            LostLetter.Log(logger, e, id, original, request, call, failure);
        }
    }

    // Null when the body can be written only once and is not recorded in full, or is too long.
    private async ValueTask<ReadOnlyMemory<byte>?> BodyOfAsync(
        RequestSnapshot original, HttpRequestMessage request, HttpCall call, int maxBytes, bool async)
    {
        if (original.Content is null)
            return ReadOnlyMemory<byte>.Empty;

        try
        {
            if (original.ReadableContent is not { } content)
                return null;
            byte[]? body = await RequestBody.ReadAllAsync(content, maxBytes, BodyTimeout, _time, async).ConfigureAwait(false);
            // Not as a conditional expression, which would convert null to an empty body.
            if (body is null)
                return null;
            return body;
        }
        catch (Exception e)
        {
            // The letter is stored without its body.
            BodyLost(logger, call.Policy.Logging.Redaction.Loggable(e, request), client.Name, call.IdempotencyKey);
            return null;
        }
    }

    [LoggerMessage(502, LogLevel.Warning,
        "{ClientName}: dead letter stored without its body, which could not be read again; resubmit it from the source. "
        + "Key {IdempotencyKey}")]
    private static partial void BodyLost(ILogger logger, Exception exception, string clientName, string? idempotencyKey);
}
