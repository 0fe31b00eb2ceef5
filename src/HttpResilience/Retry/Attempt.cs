namespace HttpResilience;

/// <summary>
/// The attempts of a call, one after another: the timer of the present one, the response or exception that it ended with, and what that
/// means. An object that is pooled with its timer: the frame of a call, which is allocated, holds nothing else.
/// </summary>
internal sealed class Attempt
{
    private readonly Client _client;
    private readonly AttemptClassifier _classifier;
    private AttemptTimer _timer;
    private HttpRequestMessage? _copy;
    private RequestSnapshot _original;
    private bool _isAnswered;
    private AttemptResult _result;

    private Attempt(Client client, AttemptClassifier classifier, AttemptTimer timer) =>
        (_client, _classifier, _timer) = (client, classifier, timer);

    /// <summary>The attempts of a call that begins.</summary>
    /// <param name="toTransport">No handler of the application can change the request.</param>
    /// <param name="caller">The token of the call.</param>
    internal static Attempt Rent(
        Client client, AttemptClassifier classifier, HttpRequestMessage request, HttpCall call, bool toTransport, bool async,
        CancellationToken caller)
    {
        var timer = client.Timers.Rent(async, caller);
        var attempt = timer.Companion as Attempt ?? new(client, classifier, timer);
        try
        {
            attempt._original.Take(request, toTransport);
        }
        catch
        {
            // It reads what the application has made.
            client.Timers.Discard(timer);
            throw;
        }

        (attempt.Asked, attempt.Call, attempt.IsAsync, attempt.Caller) = (request, call, async, caller);
        (attempt.StartsAt, attempt.Deadline) = (call.StartedAt, ClientDeadline.LastAttemptEndOf(call));
        return attempt;
    }

    internal HttpCall Call { get; private set; } = null!;

    /// <summary>The request as the application gave it, whatever is sent later.</summary>
    internal HttpRequestMessage Asked { get; private set; } = null!;

    /// <summary>The request that is sent: a copy when a handler has disposed of the one before.</summary>
    internal HttpRequestMessage Request => _copy ?? Asked;

    /// <summary>The request before its first attempt, or after its conflict was resolved.</summary>
    internal ref readonly RequestSnapshot Original => ref _original;

    internal bool IsAsync { get; private set; }

    /// <summary>The end of the last attempt of the call.</summary>
    internal long Deadline { get; private set; }

    /// <summary>When the next attempt begins, or the present one has begun.</summary>
    internal long StartsAt { get; set; }

    /// <summary>The number of the attempt; the first is 1.</summary>
    internal int Number { get; private set; }

    /// <summary>It has begun, and has no result yet that was decided on.</summary>
    internal bool IsRunning { get; private set; }

    /// <summary>The search for what an earlier attempt may have made comes before the next one.</summary>
    internal bool MustReconcileFirst { get; set; }

    /// <summary>The random number of the last delay.</summary>
    internal double Random { get; set; }

    /// <summary>The first attempt, while it is sent.</summary>
    internal Task<HttpResponseMessage>? Sending { get; set; }

    internal HttpResponseMessage? Response { get; private set; }

    /// <summary>The response to the call, where it is not that of the first attempt.</summary>
    internal HttpResponseMessage? Answer { get; set; }

    internal Exception? Exception { get; private set; }

    internal AttemptResult Result => _result;

    internal long EndedAt { get; private set; }

    /// <summary>Ends the attempt: by its timeout, or when the caller cancels the call.</summary>
    internal CancellationToken Token => _timer.Token;

    /// <summary>The token of the call.</summary>
    internal CancellationToken Caller { get; private set; }

    /// <summary>It has got the head of a response, or failed.</summary>
    internal bool HasEnd => _isAnswered || Exception is not null;

    /// <summary>A response was classified: nothing more of it is to be read.</summary>
    internal bool IsClassified { get; private set; }

    /// <summary>The body is part of the attempt (<c>Retry:IncludeResponseBody</c>), or may be part of its classification.</summary>
    internal bool ReadsAhead => !_result.IsSuccess || Call.Policy.Retry.IncludeResponseBody;

    /// <summary>It goes to an endpoint of its API.</summary>
    internal bool IsRouted { get; set; }

    internal void SendToEndpoint() => Request.RequestUri = Call.EndpointTries!.Uri;

    /// <summary>Gives the request, as it was before its first attempt, a key of its own at its next endpoint.</summary>
    internal async ValueTask RenewKeyAsync()
    {
        await IdempotencyKeyHandler.RenewKeyAsync(_client, Request, Call, IsAsync, Caller).ConfigureAwait(false);
        Revise();
    }

    private Uri? SentTo => IsRouted ? Call.EndpointTries!.Uri : _original.Uri;

    /// <returns>False when the call was cancelled before: it has no such attempt.</returns>
    internal bool TryBegin()
    {
        if (_timer.IsCancellationRequested)
            return false;
        Number++;
        (IsRunning, Exception, _isAnswered, IsClassified) = (true, null, false, false);
        Call.Timer = _timer;
        Call.ResetWire();
        _timer.Start(StartsAt, Call.AttemptEndFrom(StartsAt, Deadline));
        return true;
    }

    /// <summary>
    /// Classifies the head of the response. A failure that it announces, and its <c>Retry-After</c>, hold even when the body fails to
    /// arrive.
    /// </summary>
    internal void Receive(HttpResponseMessage response)
    {
        if (response is null)
            throw new InvalidOperationException("A handler of the client returned null instead of a response.");
        if (Response is { } disposed && ResponseBody.IsShared(response, disposed))
            throw ResponseBody.ReturnedTwice(Request);
        (Response, _isAnswered) = (response, true);
        _classifier.Receive(Call);
        Call.Receive(response, Request, _original.Method, SentTo);
        _result = _classifier.ClassifyHead(response, Call);
        if (Call.MayHaveBeenProcessed)
            _result = FailureClassifier.AfterAmbiguousAttempt(_result, Request.Method);
    }

    /// <summary>Reads a successful body, or the part of an error body that its classification needs.</summary>
    internal ValueTask ReadAheadAsync() => _result.IsSuccess
        ? ReadBodyAsync()
        : _classifier.ReadErrorBodyAsync(Response!, Call, _result, IsAsync, _timer.Token);

    internal ValueTask ReadBodyAsync() =>
        ResponseBody.ReadAsync(Response!, _client.MaxResponseContentBufferSizeOf(Request), IsAsync, _timer.Token);

    /// <summary>Classifies the response; its body may not have been read.</summary>
    internal void Classify() => (_result, IsClassified) = (_classifier.Classify(Response!, Call, _result), true);

    /// <summary>
    /// Classifies the exception that ended the attempt. An attempt that was cancelled after the deadline of the call has timed out: the
    /// clock decides, not the token that was cancelled first, which may be that of <see cref="HttpClient.Timeout"/>.
    /// </summary>
    internal void Fail(Exception exception)
    {
        bool cancelled = Caller.IsCancellationRequested;
        // The server has processed the request when only the body of its answer cannot be read.
        bool wasProcessed = _isAnswered && (_result.IsSuccess || _result.IsAmbiguous);
        Response?.Dispose();
        (Response, Exception) = (null, exception);
        Call.Fail(exception, Request, _original.Method, SentTo);
        if ((cancelled || exception is OperationCanceledException) && _client.Time.GetTimestamp() >= Deadline)
            _timer.Expire();
        _result = _classifier.Classify(exception, _original.Method, Call, _timer.HasExpired, cancelled);
        if (RequestBody.HasFailed(_original.Content, _timer.HasExpired))
            _result = _result.OfBody(RequestBody.WasWritten(_original.Content));
        if (_result.FailureClass is FailureClass.Cancelled)
            _result = _result with { IsAmbiguous = Call.WasSent };
        else if (wasProcessed)
            _result = _result with { IsAmbiguous = true };
    }

    internal void End() => (EndedAt, IsRunning) = (_client.Time.GetTimestamp(), false);

    /// <summary>Records how the attempt ended.</summary>
    /// <returns>True when it succeeded, and with it the call.</returns>
    internal bool Record()
    {
        if (Call.Policy.LearnsAttemptTimeout)
            Call.LearnFrom(_result, _timer.StartedAt, EndedAt);
        if (_result.IsSuccess)
            Call.Succeed(_result, _timer.StartedAt, EndedAt);
        // The platform refuses a request that it cannot send, as one to ftp:, before anything is on the wire.
        else if (Exception is not NotSupportedException || _result.IsAmbiguous)
            Call.Record(_result, Exception, _timer.StartedAt, EndedAt);
        return _result.IsSuccess;
    }

    /// <summary>Makes the request what it was before its first attempt.</summary>
    /// <returns>False when its body is lost.</returns>
    internal bool TryRestore()
    {
        if (_original.Restore(Request) is not { } restored)
            return false;
        if (restored != Asked)
            _copy = restored;
        return true;
    }

    /// <summary>The request was changed by the application, and later attempts send what it is now.</summary>
    internal void Revise() => Call.Revised = _original = new(Request);

    /// <summary>Keeps only the head of a response that was closed.</summary>
    internal void DropBody() => Response = Response is { } closed ? ResponseBody.HeadOf(closed) : null;

    /// <summary>Stops the timer between two attempts. A timer that has already expired is replaced.</summary>
    internal void StopTimer()
    {
        if (!_timer.Stop())
            _timer = _client.Timers.Exchange(_timer, Caller);
    }

    /// <summary>
    /// The call has ended. Gives the timer to later calls, unless code of the application may still use its token: a later timeout would
    /// end the body of this response.
    /// </summary>
    internal void Return()
    {
        _original.RecordOriginal(Asked);
        Call.Timer = null;
        var (timers, timer) = (_client.Timers, _timer);
        bool mayBeUsed = Response is { } response && (_classifier.HandlersHaveToken || ResponseBody.MayUseToken(response));
        Clear();
        if (timer.Companion != this)
            timer.Companion = this;
        if (mayBeUsed)
            timers.Discard(timer);
        else
            timers.Return(timer);
    }

    // Nothing of a call outlives it here.
    private void Clear()
    {
        (Call, Asked, _copy, Sending, Response, Answer, Exception) = (null!, null!, null, null, null, null, null);
        (_original, _result, Caller) = (default, default, default);
        (Number, Random, MustReconcileFirst, IsRouted) = (0, 0, false, false);
        (IsRunning, _isAnswered, IsClassified) = (false, false, false);
    }
}
