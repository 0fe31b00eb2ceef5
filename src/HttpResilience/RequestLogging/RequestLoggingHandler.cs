using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>The outermost handler of the chain: opens one <see cref="HttpCall"/> per request and logs one event when it ends.</summary>
internal sealed class RequestLoggingHandler(Client client, ResilienceMeter meter, ILogger<RequestLoggingHandler> logger) : ChainHandler
{
    internal static readonly EventId CallSucceeded = new(101, nameof(CallSucceeded));
    internal static readonly EventId CallFailed = new(102, nameof(CallFailed));

    private readonly TimeProvider _time = client.Time;
    private readonly CallObservers? _observers = client.Observers;
    private readonly WireReach _reach = WireReach.Of(client);

    // Known with the first call: the factory links the stages.
    private bool? _leavesEnd;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sending = SendingClient.Of(request, out bool hasOptions);
        return SendAsync(request, sending?.HttpClient, sending?.StartedAt ?? 0, hasOptions, cancellationToken);
    }

    internal override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpClient sender, CancellationToken cancellationToken)
    {
        bool hasOptions = SendingClient.HasOptions(request);
        client.Deadline.Keep(request, sender);
        return SendAsync(request, sender, sentAt: 0, hasOptions, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sending = SendingClient.Of(request, out bool hasOptions);
        return SendCallAsync(request, sending?.HttpClient, sending?.StartedAt ?? 0, hasOptions, async: false, cancellationToken)
            .GetAwaiter().GetResult();
    }

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("RequestLoggingHandler must be the outermost handler of the chain.");

    private Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpClient? sender, long sentAt, bool hasOptions, CancellationToken cancellationToken) =>
        // What the call changes in its flow must not reach the caller: that takes a frame.
        HttpCallScope.IsInFlow || _reach.IsWatched || !(_leavesEnd ??= TryLeaveEnd())
            ? SendCallAsync(request, sender, sentAt, hasOptions, async: true, cancellationToken)
            : SendCall(request, sender, sentAt, hasOptions, cancellationToken);

    private async Task<HttpResponseMessage> SendCallAsync(
        HttpRequestMessage request, HttpClient? sender, long sentAt, bool hasOptions, bool async, CancellationToken cancellationToken)
    {
        var call = HttpCall.Open(request, client.PolicyFor(request, sender), _observers, client.HttpClientName, hasOptions);
        if (_reach.IsWatched)
            AmbientRequest.Enter(request);
        HttpResponseMessage response;
        try
        {
            client.Deadline.Set(call, sender, sentAt);
            call.RecordBody(request, client, cancellationToken);
            response = await NextAsync(request, call, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (HasFailed(call, request, e, cancellationToken))
        {
            throw;
        }

        return await EndAsync(call, request, response, async, cancellationToken).ConfigureAwait(false);
    }

    // Without a frame of its own: the stage that has the first one ends the call.
    private Task<HttpResponseMessage> SendCall(
        HttpRequestMessage request, HttpClient? sender, long sentAt, bool hasOptions, CancellationToken cancellationToken)
    {
        var call = HttpCall.Open(request, client.PolicyFor(request, sender), _observers, client.HttpClientName, hasOptions);
        call.LeavesItsEnd = true;
        Task<HttpResponseMessage> answer;
        try
        {
            client.Deadline.Set(call, sender, sentAt);
            call.RecordBody(request, client, cancellationToken);
            answer = NextAsync(request, call, async: true, cancellationToken).AsTask();
        }
        catch (Exception e)
        {
            FailQuietly(call, request, e, cancellationToken);
            return Task.FromException<HttpResponseMessage>(e);
        }

        if (call.RejectionIn(answer) is { } rejection)
            FailQuietly(call, request, rejection, cancellationToken);
        else if (!call.LeavesItsEnd)
            return EndAsync(call, request, answer, cancellationToken);
        return answer;
    }

    private async Task<HttpResponseMessage> EndAsync(
        HttpCall call, HttpRequestMessage request, Task<HttpResponseMessage> answer, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await answer.ConfigureAwait(false);
        }
        catch (Exception e) when (HasFailed(call, request, e, cancellationToken))
        {
            throw;
        }

        return await EndAsync(call, request, response, async: true, cancellationToken).ConfigureAwait(false);
    }

    internal override ValueTask<HttpResponseMessage> EndAsync(
        HttpCall call, HttpRequestMessage request, HttpResponseMessage response, bool async, CancellationToken cancellationToken)
    {
        response.SetHttpCall(call, request);
        ClientDeadline.LimitBody(response, call);
        End(call, request, response, exception: null, cancelled: false);
        if (IsLogged(call) || call.IsCollected)
            return WriteAsync(call, request, response, async, cancellationToken);
        call.EndBody(request);
        return new(response);
    }

    // A logger or a listener that throws must not take the place of the exception of the call; in a filter it does not either.
    private void FailQuietly(HttpCall call, HttpRequestMessage request, Exception exception, CancellationToken cancellationToken)
    {
        try
        {
            Fail(call, request, exception, cancellationToken.IsCancellationRequested);
        }
        catch
        {
        }
    }

    // A filter, so that the exception is not caught.
    private bool HasFailed(HttpCall call, HttpRequestMessage request, Exception exception, CancellationToken cancellationToken)
    {
        Fail(call, request, exception, cancellationToken.IsCancellationRequested);
        return false;
    }

    internal override void Fail(HttpCall call, HttpRequestMessage request, Exception exception, bool cancelled)
    {
        End(call, request, response: null, exception, cancelled);
        exception.SetHttpCall(call);
        try
        {
            bool isLogged = IsLogged(call);
            if (isLogged || call.IsCollected)
                call.Error = call.Policy.Logging.Redaction.Scrub(exception, request);
            if (isLogged)
                Write(call, new CallLogEntry(call, request, response: null, exception));
        }
        finally
        {
            call.EndBody(request);
        }
    }

    private void End(HttpCall call, HttpRequestMessage request, HttpResponseMessage? response, Exception? exception, bool cancelled)
    {
        call.End(cancelled);
        if (call.IsCollected && (call.FailureClass is not FailureClass.None || response is { IsSuccessStatusCode: false }))
            call.FailedRequest = request;
        _observers?.CallEnded(client, call);
        meter.CallEnded(call, request, response, exception);
        CallSpan.End(_time, call, request, response, exception);
    }

    // Returns the response so that the caller has one await and a smaller state machine.
    private async ValueTask<HttpResponseMessage> WriteAsync(
        HttpCall call, HttpRequestMessage request, HttpResponseMessage response, bool async, CancellationToken cancellationToken)
    {
        int maxBytes = call.Policy.Logging.ErrorBodyBytes;
        try
        {
            // The body of a stale response is not an error.
            if (call.FailureClass is not FailureClass.None && maxBytes > 0 && !call.IsStale
                && await ErrorBody.PeekAsync(response, maxBytes, _time, async, cancellationToken).ConfigureAwait(false) is { } text)
            {
                call.Error = call.Policy.Logging.Redaction.Scrub(text, request, response);
            }
        }
        finally
        {
            // Not earlier: the error may echo the body of the request.
            call.EndBody(request);
        }

        if (IsLogged(call))
            Write(call, new CallLogEntry(call, request, response, exception: null));
        return response;
    }

    // A cancelled call with a letter is for review.
    private static LogLevel LevelOf(HttpCall call) => call.FailureClass is FailureClass.None
        || (call.FailureClass is FailureClass.Cancelled && call.DeadLetterId is null) ? call.Policy.Logging.Level : LogLevel.Warning;

    private bool IsLogged(HttpCall call) => logger.IsEnabled(LevelOf(call));

    private void Write(HttpCall call, CallLogEntry entry) => logger.Log(
        LevelOf(call), call.FailureClass is FailureClass.None ? CallSucceeded : CallFailed, entry, exception: null,
        static (e, _) => e.ToString());
}
