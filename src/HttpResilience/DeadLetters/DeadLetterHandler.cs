using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Stores a finally failed request before the caller gets the failure. <see cref="DeadLetterDecision"/> decides whether and when it is sent
/// again. A failing store does not change the result of the call.
/// </summary>
internal sealed partial class DeadLetterHandler(
    Client client, AttemptClassifier classifier, RegisteredExtensions extensions, IDeadLetterStore store, DeadLetterMeter meter,
    ILogger<DeadLetterHandler> logger) : ChainHandler
{
    // A slow disk must not hold up the call for longer.
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BodyTimeout = StoreTimeout / 2;

    private readonly TimeProvider _time = client.Time;

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
        HttpResponseMessage response;
        try
        {
            response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsKept(policy, call, hasResponse: false))
        {
            await KeepAsync(policy, request, call.Revised ?? original, call, LetterFailure.Of(e, request, call), async)
                .ConfigureAwait(false);
            throw;
        }

        if (IsKept(policy, call, hasResponse: true))
        {
            var failure = await LetterFailure.OfAsync(response, request, call, classifier, _time, async, cancellationToken)
                .ConfigureAwait(false);
            await KeepAsync(policy, request, call.Revised ?? original, call, failure, async).ConfigureAwait(false);
        }

        return response;
    }

    private static bool IsKept(DeadLetterPolicy policy, HttpCall call, bool hasResponse) => DeadLetterDecision.IsKept(
        call.FailureClass, hasResponse, policy.KeepCancelled, wasOnTheWire: call.MayHaveBeenProcessed && call.AttemptCount > 0);

    private async ValueTask KeepAsync(
        DeadLetterPolicy policy, HttpRequestMessage request, RequestSnapshot original, HttpCall call, LetterFailure failure, bool async)
    {
        using var timeout = new CancellationTokenSource(StoreTimeout, _time);
        try
        {
            var body = await BodyOfAsync(original.Content, call, policy.MaxBodyBytes, async).ConfigureAwait(false);
            var letter = Write(policy, original, call, failure, body);
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
            string tags = string.Join(", ", DeadLetterRequest.TagsOf(call).Select(t => $"{t.Key}={Redaction.Clean(t.Value)}"));
            Lost(
                logger, e, client.Name, original.Method.Method, new HttpAuthority(original.Uri!).ToString(),
                call.Policy.Logging.Redaction.PathOf(request, call), call.IdempotencyKey, call.Tenant, tags,
                call.FailureClass, failure.StatusCode, failure.Title);
        }
    }

    // Null when the body can be written only once and is not recorded in full, or is too long.
    private async ValueTask<ReadOnlyMemory<byte>?> BodyOfAsync(HttpContent? content, HttpCall call, int maxBytes, bool async)
    {
        if (content is null)
            return ReadOnlyMemory<byte>.Empty;

        try
        {
            byte[]? body = await RequestBody.ReadAllAsync(content, maxBytes, BodyTimeout, _time, async).ConfigureAwait(false);
            // Not as a conditional expression, which would convert null to an empty body.
            if (body is null)
                return null;
            return body;
        }
        catch (Exception e)
        {
            // The letter is stored without its body.
            BodyLost(logger, e, client.Name, call.IdempotencyKey);
            return null;
        }
    }

    private DeadLetter Write(
        DeadLetterPolicy policy, RequestSnapshot original, HttpCall call, LetterFailure failure, ReadOnlyMemory<byte>? body)
    {
        var fate = LetterFate.Of(
            call.Policy.Retry, original.Method, call.IdempotencyKey is not null, call.MayHaveBeenProcessed, bodyIsMissing: body is null,
            extensions.Reconciler is not null).After(failure.StatusCode, call.IdempotencyKey is not null || original.IsConditional);
        var decision = DeadLetterDecision.AfterFailure(call.FailureClass, fate, failure.RetryAfter, replays: 0, policy.MaxReplays);
        var now = _time.GetUtcNow();
        return new()
        {
            Id = Guid.CreateVersion7(now),
            ClientName = client.Name,
            Method = original.Method.Method,
            Uri = DeadLetterRequest.UriOf(original.Uri!),
            Headers = DeadLetterRequest.HeadersOf(original, call),
            Body = original.Content is null ? null : body,
            BodyIsMissing = fate.BodyIsMissing,
            IdempotencyKey = call.IdempotencyKey,
            Tenant = call.Tenant,
            Tags = DeadLetterRequest.TagsOf(call),
            FailureClass = call.FailureClass,
            StopReason = call.StopReason,
            MayHaveBeenProcessed = call.MayHaveBeenProcessed,
            StatusCode = failure.StatusCode,
            ErrorType = failure.ErrorType,
            ErrorTitle = failure.Title,
            ErrorDetail = failure.Detail,
            Attempts = call.AttemptCount,
            FirstFailedAt = now,
            LastFailedAt = now,
            Status = decision.Status,
            DueAt = now + decision.Delay,
            SuggestedAction = decision.SuggestedAction,
        };
    }

    [LoggerMessage(502, LogLevel.Warning,
        "{ClientName}: dead letter stored without its body, which could not be read again; resubmit it from the source. "
        + "Key {IdempotencyKey}")]
    private static partial void BodyLost(ILogger logger, Exception exception, string clientName, string? idempotencyKey);

    [LoggerMessage(501, LogLevel.Critical,
        "{ClientName} {Method} {Authority}{Path}: dead letter could not be stored; resubmit it from the source. "
        + "Key {IdempotencyKey}, tenant {Tenant}, {Tags}. {FailureClass} {StatusCode} {Error}")]
    private static partial void Lost(
        ILogger logger, Exception exception, string clientName, string method, string authority, string path, string? idempotencyKey,
        string? tenant, string tags, FailureClass failureClass, int? statusCode, string? error);
}
