using System.Net;

namespace HttpResilience.IntegrationTests.Migration;

/// <summary>
/// A primary handler that plays one reply for each request, in order, and repeats the last. Unlike a <see cref="FaultScript"/> it stays on
/// the thread of its clock.
/// </summary>
internal sealed class ScriptedApi(TimeProvider time) : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly long _start = time.GetTimestamp();
    private readonly List<Reply> _replies = [];
    private readonly List<Arrival> _requests = [];
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<HttpRequestMessage, Reply?>? _decide;
    private bool _isHeld;

    internal TimeSpan Elapsed => time.GetElapsedTime(_start);

    internal IReadOnlyList<Arrival> Requests
    {
        get
        {
            lock (_gate)
                return [.. _requests];
        }
    }

    internal ScriptedApi Status(int status, double? retryAfter = null, double after = 0, (string Name, string Value)? field = null) =>
        Add(Answer(status, retryAfter, after, field));

    internal ScriptedApi Reset() => Throws(() => new HttpRequestException(
        HttpRequestError.InvalidResponse, "The connection was reset.", new IOException("The connection was reset.")));

    internal ScriptedApi Refused() => Throws(() => new HttpRequestException(
        HttpRequestError.ConnectionError, "The connection was refused.", new System.Net.Sockets.SocketException(111)));

    internal ScriptedApi Throws(Func<Exception> exception) => Add(new(_ => throw exception(), TimeSpan.Zero));

    internal ScriptedApi NeverAnswers() => Add(Silence);

    /// <summary>Holds all replies back until the test releases them.</summary>
    internal ScriptedApi Hold()
    {
        _isHeld = true;
        return this;
    }

    internal void Release() => _released.SetResult();

    internal ScriptedApi Times(int count)
    {
        _replies.AddRange(Enumerable.Repeat(_replies[^1], count - 1));
        return this;
    }

    /// <summary>Replies to certain requests by themselves; null leaves a request to the script.</summary>
    internal ScriptedApi Decide(Func<HttpRequestMessage, Reply?> decide)
    {
        _decide = decide;
        return this;
    }

    internal static Reply Silence => new(_ => throw new InvalidOperationException("It never answers."), Timeout.InfiniteTimeSpan);

    internal static Reply Answer(int status, double? retryAfter = null, double after = 0, (string Name, string Value)? field = null) =>
        new(request =>
        {
            var response = new HttpResponseMessage((HttpStatusCode)status)
            {
                RequestMessage = request,
                Content = new ByteArrayContent([]),
            };
            if (retryAfter is { } wait)
                response.Headers.RetryAfter = new(TimeSpan.FromSeconds(wait));
            if (field is { } own)
                response.Headers.Add(own.Name, own.Value);
            return response;
        }, TimeSpan.FromSeconds(after));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var headers = request.Headers.ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase);
        Reply reply;
        lock (_gate)
        {
            reply = _decide?.Invoke(request) ?? _replies[Math.Min(_requests.Count, _replies.Count - 1)];
            _requests.Add(new(request.Method, request.RequestUri!, headers, Elapsed));
        }

        if (_isHeld)
            await _released.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        // A real response never arrives on the stack of its caller.
        var arrived = new TaskCompletionSource();
        using var timer = time.CreateTimer(_ => arrived.TrySetResult(), null, reply.After, Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.Register(() => arrived.TrySetCanceled(cancellationToken));
        await arrived.Task.ConfigureAwait(false);
        return reply.Respond(request);
    }

    private ScriptedApi Add(Reply reply)
    {
        _replies.Add(reply);
        return this;
    }

    /// <summary>What happens to a request.</summary>
    internal sealed record Reply(Func<HttpRequestMessage, HttpResponseMessage> Respond, TimeSpan After);

    /// <summary>A request as it was sent.</summary>
    internal sealed record Arrival(HttpMethod Method, Uri Uri, IReadOnlyDictionary<string, string> Headers, TimeSpan At)
    {
        internal string? IdempotencyKey => Headers.GetValueOrDefault("Idempotency-Key");
    }
}
