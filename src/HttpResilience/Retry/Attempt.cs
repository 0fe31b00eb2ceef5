namespace HttpResilience;

/// <summary>
/// One try of a call: its timer, the response or exception it ended with, and what that means. A struct inside the async frame of <see
/// cref="RetryHandler"/>, because an object or a frame for each attempt would make every call allocate more.
/// </summary>
internal struct Attempt(
    Client client, AttemptClassifier classifier, HttpCall call, bool async, CancellationToken cancellationToken)
{
    private AttemptTimer _timer = client.Timers.Rent(async, cancellationToken);
    private Exception? _exception;
    private bool _isAnswered;
    private AttemptResult _result;

    /// <summary>The number of the attempt; the first is 1.</summary>
    internal int Number { get; private set; }

    internal HttpResponseMessage? Response { get; private set; }

    internal readonly Exception? Exception => _exception;

    internal readonly AttemptResult Result => _result;

    internal long EndedAt { get; private set; }

    /// <summary>Ends the attempt: by its timeout, or when the caller cancels the call.</summary>
    internal readonly CancellationToken Token => _timer.Token;

    /// <summary>The body is part of the attempt (<c>Retry:IncludeResponseBody</c>), or may be part of its classification.</summary>
    internal readonly bool ReadsAhead => !_result.IsSuccess || call.Policy.Retry.IncludeResponseBody;

    internal void Begin(long startedAt, long deadline)
    {
        // Nothing was sent yet: a call that was cancelled before has no attempt.
        _timer.Token.ThrowIfCancellationRequested();
        Number++;
        (_exception, _isAnswered) = (null, false);
        call.Timer = _timer;
        call.ResetWire();
        _timer.Start(startedAt, call.Policy.AttemptEndFrom(startedAt, deadline, call.AttemptTimeout));
    }

    /// <summary>
    /// Classifies the head of the response. A failure that it announces, and its <c>Retry-After</c>, hold even when the body fails to
    /// arrive.
    /// </summary>
    internal void Receive(HttpResponseMessage response, HttpRequestMessage request, in RequestSnapshot original)
    {
        if (response is null)
            throw new InvalidOperationException("A handler of the client returned null instead of a response.");
        if (Response is { } disposed && ResponseBody.IsShared(response, disposed))
            throw ResponseBody.ReturnedTwice(request);
        (Response, _isAnswered) = (response, true);
        classifier.Receive(call);
        call.Receive(response, request, original.Method, original.Uri);
        _result = classifier.ClassifyHead(response, call);
        if (call.MayHaveBeenProcessed)
            _result = FailureClassifier.AfterAmbiguousAttempt(_result, request.Method);
    }

    /// <summary>Reads a successful body, or the part of an error body that its classification needs.</summary>
    internal readonly ValueTask ReadAheadAsync(HttpRequestMessage request, bool async) => _result.IsSuccess
        ? ReadBodyAsync(request, async)
        : classifier.ReadErrorBodyAsync(Response!, call, _result, async, _timer.Token);

    internal readonly ValueTask ReadBodyAsync(HttpRequestMessage request, bool async) =>
        ResponseBody.ReadAsync(Response!, client.MaxResponseContentBufferSizeOf(request), async, _timer.Token);

    /// <summary>Classifies the response; its body may not have been read.</summary>
    internal void Classify() => _result = classifier.Classify(Response!, call, _result);

    /// <summary>
    /// Classifies the exception that ended the attempt. An attempt that was cancelled after the deadline of the call has timed out: the
    /// clock decides, not the token that was cancelled first, which may be that of <see cref="HttpClient.Timeout"/>.
    /// </summary>
    /// <param name="cancelled">The token of the call is cancelled.</param>
    internal void Fail(Exception exception, HttpRequestMessage request, in RequestSnapshot original, long deadline, bool cancelled)
    {
        // The server has processed the request when only the body of its answer cannot be read.
        bool wasProcessed = _isAnswered && (_result.IsSuccess || _result.IsAmbiguous);
        Response?.Dispose();
        (Response, _exception) = (null, exception);
        call.Fail(exception, request, original.Method, original.Uri);
        if ((cancelled || exception is OperationCanceledException) && client.Time.GetTimestamp() >= deadline)
            _timer.Expire();
        _result = classifier.Classify(exception, original.Method, call, _timer.HasExpired, cancelled);
        if (RequestBody.HasFailed(original.Content, _timer.HasExpired))
            _result = _result.OfBody(RequestBody.WasWritten(original.Content));
        if (_result.FailureClass is FailureClass.Cancelled)
            _result = _result with { IsAmbiguous = call.WasSent };
        else if (wasProcessed)
            _result = _result with { IsAmbiguous = true };
    }

    /// <summary>Records how the attempt ended.</summary>
    /// <returns>True when it succeeded, and with it the call.</returns>
    internal readonly bool Record()
    {
        if (_result.IsSuccess)
            call.Succeed(_result, _timer.StartedAt, EndedAt);
        // The platform refuses a request that it cannot send, as one to ftp:, before anything is on the wire.
        else if (_exception is not NotSupportedException || _result.IsAmbiguous)
            call.Record(_result, _exception, _timer.StartedAt, EndedAt);
        return _result.IsSuccess;
    }

    /// <summary>The same attempt after its response was closed: it has the head only.</summary>
    internal readonly Attempt WithoutBody() => this with { Response = Response is { } closed ? ResponseBody.HeadOf(closed) : null };

    internal void End() => EndedAt = client.Time.GetTimestamp();

    /// <summary>Stops the timer between two attempts. A timer that has already expired is replaced.</summary>
    internal void StopTimer(CancellationToken cancellationToken)
    {
        if (!_timer.Stop())
            _timer = client.Timers.Exchange(_timer, cancellationToken);
    }

    /// <summary>
    /// Gives the timer to later calls, unless code of the application may still use its token: a later timeout would end the body of this
    /// response.
    /// </summary>
    internal readonly void ReturnTimer()
    {
        call.Timer = null;
        if (Response is { } response && (classifier.HandlersHaveToken || ResponseBody.MayUseToken(response)))
            client.Timers.Discard(_timer);
        else
            client.Timers.Return(_timer);
    }
}
