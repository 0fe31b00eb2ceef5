using Microsoft.Extensions.Http.Logging;

namespace HttpResilience;

/// <summary>
/// A stage of the chain. A stage passes the call and the sync/async mode directly to the next stage, so one method serves both
/// <see cref="HttpClient.SendAsync(HttpRequestMessage)"/> and <see cref="HttpClient.Send(HttpRequestMessage)"/>.
/// </summary>
internal abstract class ChainHandler : DelegatingHandler
{
    private const string NoTask = "A handler of the client returned null instead of a task, as a mock does for a request without a setup.";

    private ChainHandler? _next;
    private ChainHandler? _nextStage;
    private bool _leadsToTransport;
    private volatile bool _isLinked;

    /// <param name="async">False: everything, including delays, runs on the calling thread, and the returned task is completed.</param>
    protected abstract ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, HttpCall.Of(request), async: true, cancellationToken).AsTask();

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, HttpCall.Of(request), async: false, cancellationToken).AsTask().GetAwaiter().GetResult();

    /// <summary>Sends a request that comes from its client directly, without handlers of the application between them.</summary>
    internal virtual Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpClient sender, CancellationToken cancellationToken) => SendAsync(request, cancellationToken);

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

    /// <summary>Admits an attempt if no stage inside this one would hold it back now, as a probe too.</summary>
    /// <returns>False when one does; nothing of the call has changed then.</returns>
    protected virtual bool TryAdmit(HttpCall call, long now) => NextStage?.TryAdmit(call, now) ?? true;

    /// <summary>An attempt that was admitted has not begun.</summary>
    protected virtual void NotifyNotSent(HttpCall call) => NextStage?.NotifyNotSent(call);

    /// <summary>
    /// Its frame ends the call of the outermost stage too, if the stages between them have none (<c>HttpCall.LeavesItsEnd</c>): a call that
    /// succeeds then has one frame.
    /// </summary>
    protected virtual bool EndsCallsInItsFrame => false;

    /// <summary>It passes a call on without a frame, or else takes its end back to the outermost stage.</summary>
    protected virtual bool PassesEndOn => false;

    /// <summary>The stage whose calls this one ends.</summary>
    protected ChainHandler? Outermost { get; private set; }

    /// <summary>Lets the stage that has the first frame end the calls of this one.</summary>
    /// <returns>False when there is none that can.</returns>
    protected bool TryLeaveEnd()
    {
        var next = InnerHandler as ChainHandler;
        while (next is { PassesEndOn: true })
            next = next.InnerHandler as ChainHandler;
        if (next is not { EndsCallsInItsFrame: true })
            return false;
        next.Outermost = this;
        return true;
    }

    /// <summary>Ends a call that got a response.</summary>
    internal virtual ValueTask<HttpResponseMessage> EndAsync(
        HttpCall call, HttpRequestMessage request, HttpResponseMessage response, bool async, CancellationToken cancellationToken) =>
        new(response);

    /// <summary>Ends a call that failed with an exception.</summary>
    /// <param name="cancelled">The token of the call is cancelled.</param>
    internal virtual void Fail(HttpCall call, HttpRequestMessage request, Exception exception, bool cancelled)
    {
    }

    /// <summary>Rejects a call without a throw inside the chain, which would cost more than all the rest of it.</summary>
    protected static ValueTask<HttpResponseMessage> Reject(HttpCall call, RejectedException rejection)
    {
        var answer = Task.FromException<HttpResponseMessage>(rejection);
        call.Reject(answer, rejection);
        return new(answer);
    }

    protected ValueTask<HttpResponseMessage> NextAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        EnsureLinked();
        if (_next is { } next)
            return next.SendAsync(request, call, async, cancellationToken);
        if (_nextStage is null)
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
            EnsureLinked();
            return _nextStage;
        }
    }

    /// <summary>Inside it are only stages of the chain and handlers of the platform.</summary>
    protected bool LeadsToTransport
    {
        get
        {
            EnsureLinked();
            return _leadsToTransport;
        }
    }

    // Handlers do not change after the first call.
    private void EnsureLinked()
    {
        if (!_isLinked)
            Link();
    }

    private void Link()
    {
        var inner = InnerHandler;
        while (inner is DelegatingHandler passing and (ChainHandler or LoggingHttpMessageHandler or LoggingScopeHttpMessageHandler))
            inner = passing.InnerHandler;
        // Any other handler, also one derived from these, is of the application and may change the request before it is sent.
        _leadsToTransport = inner?.GetType() is { } type && (type == typeof(SocketsHttpHandler) || type == typeof(HttpClientHandler));
        _next = InnerHandler as ChainHandler;
        var handler = InnerHandler;
        while (handler is DelegatingHandler outer and not ChainHandler)
            handler = outer.InnerHandler;
        _nextStage = handler as ChainHandler;
        _isLinked = InnerHandler is not null;
    }
}
