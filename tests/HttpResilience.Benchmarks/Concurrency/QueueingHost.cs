using System.Net;

namespace HttpResilience.Simulation;

/// <summary>
/// An API with a number of places, in virtual time: a request beyond them waits there in its order. A request that is cancelled leaves
/// the queue; one that is served keeps its place.
/// </summary>
internal sealed class QueueingHost(VirtualTime time, Func<int> places, Func<TimeSpan> service) : HttpMessageHandler
{
    private readonly LinkedList<Exchange> _waiting = [];
    private int _served;

    /// <summary>The requests that were answered.</summary>
    internal List<ServedRequest> Answered { get; } = [];

    /// <summary>The number of places has changed.</summary>
    internal void Serve()
    {
        while (_served < places() && _waiting.First is { Value: var next })
        {
            _waiting.RemoveFirst();
            _served++;
            next.Begin(service());
        }
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var exchange = new Exchange(this, request, cancellationToken);
        Serve();
        return exchange.Task;
    }

    private sealed class Exchange : TaskCompletionSource<HttpResponseMessage>
    {
        private readonly QueueingHost _host;
        private readonly HttpRequestMessage _request;
        private readonly CancellationTokenRegistration _registration;
        private readonly LinkedListNode<Exchange> _place;
        private readonly TimeSpan _arrivedAt;
        private TimeSpan _begunAt;

        internal Exchange(QueueingHost host, HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (_host, _request, _arrivedAt) = (host, request, host.Time.Elapsed);
            _place = host._waiting.AddLast(this);
            _registration = cancellationToken.UnsafeRegister(static (exchange, token) => ((Exchange)exchange!).GiveUp(token), this);
        }

        internal void Begin(TimeSpan length)
        {
            _begunAt = _host.Time.Elapsed;
            _host.Time.At(_begunAt + length, End);
        }

        private void End()
        {
            _host._served--;
            _registration.Dispose();
            TimeSpan now = _host.Time.Elapsed;
            if (!Task.IsCompleted)
                _host.Answered.Add(new(now, (_begunAt - _arrivedAt).TotalMilliseconds, (now - _arrivedAt).TotalMilliseconds));
            // The next one begins before the client reacts to the answer.
            _host.Serve();
            TrySetResult(new(HttpStatusCode.OK) { RequestMessage = _request });
        }

        private void GiveUp(CancellationToken token)
        {
            if (_place.List is not null)
                _host._waiting.Remove(_place);
            TrySetCanceled(token);
        }
    }

    private VirtualTime Time => time;
}

/// <summary>A request that the API has answered.</summary>
/// <param name="Queued">How long it waited there, in milliseconds.</param>
/// <param name="Stayed">How long it was there, in milliseconds.</param>
internal readonly record struct ServedRequest(TimeSpan At, double Queued, double Stayed);
