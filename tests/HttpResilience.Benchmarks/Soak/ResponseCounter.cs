namespace HttpResilience.Simulation;

/// <summary>The handler next to the wire; counts responses that are received and not disposed.</summary>
internal sealed class ResponseCounter
{
    private long _made;
    private long _alive;

    internal long Made => Interlocked.Read(ref _made);

    internal long Alive => Interlocked.Read(ref _alive);

    internal DelegatingHandler NewHandler() => new Handler(this);

    private sealed class Handler(ResponseCounter counter) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new CountedResponse(counter, await base.SendAsync(request, cancellationToken).ConfigureAwait(false));

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new CountedResponse(counter, base.Send(request, cancellationToken));
    }

    private sealed class CountedResponse : HttpResponseMessage
    {
        private readonly ResponseCounter _counter;
        private int _isDisposed;

        internal CountedResponse(ResponseCounter counter, HttpResponseMessage response)
            : base(response.StatusCode)
        {
            _counter = counter;
            (Content, Version, ReasonPhrase, RequestMessage) = (
                response.Content, response.Version, response.ReasonPhrase, response.RequestMessage);
            foreach (var (name, values) in response.Headers.NonValidated)
                Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values);
            Interlocked.Increment(ref counter._made);
            Interlocked.Increment(ref counter._alive);
        }

        protected override void Dispose(bool disposing)
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
                Interlocked.Decrement(ref _counter._alive);
            base.Dispose(disposing);
        }
    }
}
