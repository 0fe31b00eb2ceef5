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
        bool bodyIsReplayable = call.BodyIsKept || RequestBody.IsReplayable(request.Content)
            || await RequestBody.TryKeepAsync(request.Content!, policy.Retry.MaxReplayBodyBytes, async, cancellationToken).ConfigureAwait(false);
        var original = new RequestSnapshot(request);
        long deadline = client.DeadlineOf(call);
        long startedAt = call.StartedAt;
        double random = 0;
        var timer = client.Timers.Rent(cancellationToken);
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                HttpResponseMessage? response = null;
                Exception? exception = null;
                AttemptResult result;
                call.Timer = timer;
                timer.Start(startedAt, policy.AttemptEndFrom(startedAt, deadline));
                try
                {
                    response = await NextAsync(request, call, async, timer.Token).ConfigureAwait(false);
                    result = client.Classify(response, call);
                    // What the head of a failure says, such as Retry-After, holds whatever becomes of its body.
                    if (policy.Retry.IncludeResponseBody && result.IsSuccess)
                        await ResponseBody.ReadAsync(response, client.MaxResponseContentBufferSize, async, timer.Token).ConfigureAwait(false);
                }
                catch (CircuitOpenException e)
                {
                    TellNext(call, FailureClassifier.Classify(e, timer.HasExpired, cancelled: false), _time.GetTimestamp());
                    call.Stop(StopReason.CircuitOpen, FailureClass.Transient);
                    throw;
                }
                catch (RateLimitedException e)
                {
                    TellNext(call, FailureClassifier.Classify(e, timer.HasExpired, cancelled: false), _time.GetTimestamp());
                    call.Stop(StopReason.RateLimited, FailureClass.RateLimited);
                    throw;
                }
                catch (Exception e)
                {
                    response?.Dispose();
                    (response, exception) = (null, e);
                    result = FailureClassifier.Classify(e, timer.HasExpired, cancellationToken.IsCancellationRequested);
                }

                long endedAt = _time.GetTimestamp();
                TellNext(call, result, endedAt);
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
                    KeyExpiresIn = policy.Remaining(endedAt, policy.KeyEndFrom(call.StartedAt)),
                };
                var decision = RetryDecision.Decide(policy.Retry, result, retryable, attempt, policy.Remaining(endedAt, deadline), random, previousRandom);
                if (!decision.IsRetry)
                {
                    call.Stop(decision.StopReason, result.FailureClass);
                    return response ?? throw Surfaced(exception!, call, cancellationToken);
                }

                response?.Dispose();
                long nextAt = endedAt + policy.ToTimestamp(decision.Delay);
                if (call.Circuit is { State: CircuitState.Open } circuit && circuit.OpenUntil > nextAt)
                {
                    call.Stop(StopReason.CircuitOpen, FailureClass.Transient);
                    throw new CircuitOpenException(HttpAuthority.NameOf(request), _time.GetElapsedTime(endedAt, circuit.OpenUntil), exception);
                }

                WillRetry(request, call, attempt, result, exception, decision.Delay);
                original.Restore(request);
                if (!timer.Stop())
                    timer = client.Timers.Exchange(timer, cancellationToken);
                await Wait.UntilAsync(_time, nextAt, async, cancellationToken).ConfigureAwait(false);
                startedAt = _time.GetTimestamp();
            }
        }
        finally
        {
            call.Timer = null;
            client.Timers.Return(timer);
        }
    }

    /// <summary>What the caller sees of the last exception: a timeout or a cancellation in the shape that <see cref="HttpClient"/> gives them.</summary>
    private Exception Surfaced(Exception exception, HttpCall call, CancellationToken cancellationToken)
    {
        if (call.AttemptTimedOut)
        {
            string message = call.StopReason is StopReason.DeadlinePassed
                ? $"The call was cancelled because TotalRequestTimeout ({call.Policy.TotalRequestTimeout}) of client '{client.Name}' has passed."
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
