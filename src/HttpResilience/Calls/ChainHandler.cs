namespace HttpResilience;

/// <summary>
/// A stage of the chain. A stage passes the call and the sync/async mode directly to the next stage, so one method serves both
/// <see cref="HttpClient.SendAsync(HttpRequestMessage)"/> and <see cref="HttpClient.Send(HttpRequestMessage)"/>.
/// </summary>
internal abstract class ChainHandler : DelegatingHandler
{
    private const string NoTask = "A handler of the client returned null instead of a task, as a mock does for a request without a setup.";

    /// <param name="async">False: everything, including delays, runs on the calling thread, and the returned task is completed.</param>
    protected abstract ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, HttpCall.Of(request), async: true, cancellationToken).AsTask();

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, HttpCall.Of(request), async: false, cancellationToken).AsTask().GetAwaiter().GetResult();

    /// <summary>
    /// Runs after each attempt, called by <c>RetryHandler</c> for every stage inside it. A stage that needs only the result needs no async
    /// method of its own.
    /// </summary>
    protected virtual void OnAttemptEnded(HttpCall call, in AttemptResult result, long endedAt) => NotifyInnerStages(call, result, endedAt);

    protected void NotifyInnerStages(HttpCall call, in AttemptResult result, long endedAt) =>
        NextStage?.OnAttemptEnded(call, result, endedAt);

    /// <summary>
    /// Waits before an attempt until the stages inside this one admit it; a stage that then rejects it has not admitted it.
    /// </summary>
    /// <param name="latest">The timestamp at which the attempt must begin.</param>
    /// <returns>The timestamp at which the attempt begins.</returns>
    protected virtual ValueTask<long> AdmitAsync(HttpCall call, long latest, bool async, CancellationToken cancellationToken) =>
        NextStage is { } next ? next.AdmitAsync(call, latest, async, cancellationToken) : new(call.Time.GetTimestamp());

    /// <summary>An attempt that was admitted has not begun.</summary>
    protected virtual void NotifyNotSent(HttpCall call) => NextStage?.NotifyNotSent(call);

    protected ValueTask<HttpResponseMessage> NextAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (InnerHandler is ChainHandler next)
            return next.SendAsync(request, call, async, cancellationToken);
        if (NextStage is null)
            call.WasSent = true;
        return LeaveAsync(request, async, cancellationToken);
    }

    /// <summary>Passes a request to a handler that is not a stage.</summary>
    protected ValueTask<HttpResponseMessage> LeaveAsync(HttpRequestMessage request, bool async, CancellationToken cancellationToken) =>
        async ? new(base.SendAsync(request, cancellationToken) ?? throw new InvalidOperationException(NoTask))
            : new(base.Send(request, cancellationToken));

    /// <summary>The next stage, which handlers of the application may separate from this one; null for the innermost stage.</summary>
    private ChainHandler? NextStage
    {
        get
        {
            for (var handler = InnerHandler; handler is DelegatingHandler inner; handler = inner.InnerHandler)
            {
                if (handler is ChainHandler next)
                    return next;
            }

            return null;
        }
    }
}
