namespace HttpResilience;

/// <summary>
/// The outermost handler of one <see cref="HttpClient"/>: tells the chain, which all clients of a name share, which of them sends a
/// request. It has no async method of its own.
/// </summary>
internal sealed class SendingClientHandler : DelegatingHandler
{
    private readonly TimeProvider _time;
    private readonly bool _chainIsNext;
    private SendingClient? _client;

    /// <param name="handlers">The handlers of the client's name, as the factory made them.</param>
    internal SendingClientHandler(HttpMessageHandler handlers, TimeProvider time)
        : base(handlers)
    {
        _time = time;
        _chainIsNext = handlers is RequestLoggingHandler or DelegatingHandler { InnerHandler: RequestLoggingHandler };
    }

    internal void Tell(HttpClient client) => _client = new(client);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Sign(request);
        return base.SendAsync(request, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Sign(request);
        return base.Send(request, cancellationToken);
    }

    // HttpClient.Timeout includes the time of handlers outside the chain.
    private void Sign(HttpRequestMessage request) => request.Options.Set(
        SendingClient.Key, _chainIsNext ? _client! : new(_client!.HttpClient, _time.GetTimestamp()));
}
