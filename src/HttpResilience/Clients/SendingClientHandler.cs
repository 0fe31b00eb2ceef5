namespace HttpResilience;

/// <summary>
/// The outermost handler of one <see cref="HttpClient"/>: adds the client to each request, as all clients of a name share one chain. It
/// has no async method of its own.
/// </summary>
internal sealed class SendingClientHandler : DelegatingHandler
{
    private readonly Client _client;
    private readonly bool _chainIsNext;
    private SendingClient? _sending;
    private Uri? _baseAddress;

    /// <param name="handlers">The handlers of the client's name, as the factory made them.</param>
    internal SendingClientHandler(HttpMessageHandler handlers, Client client)
        : base(handlers)
    {
        _client = client;
        _chainIsNext = handlers is ChainHandler or DelegatingHandler { InnerHandler: ChainHandler };
    }

    internal void SetClient(HttpClient client) => _sending = new(client);

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

    private void Sign(HttpRequestMessage request)
    {
        var client = _sending!.HttpClient;
        if (client.BaseAddress is { } baseAddress && !ReferenceEquals(baseAddress, _baseAddress))
            BaseAddresses.Of(_client).Add(_baseAddress = baseAddress);
        request.Options.Set(
            SendingClient.Key,
            _chainIsNext ? _sending : new(client, _client.Time.GetTimestamp(), request.Headers.NonValidated, request.RequestUri));
    }
}
