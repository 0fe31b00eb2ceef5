using Microsoft.Extensions.Http;

namespace HttpResilience;

/// <summary>
/// The outermost handler of one <see cref="HttpClient"/>: tells the chain, which all clients of a name share, which of them sends a
/// request. It has no async method of its own.
/// </summary>
internal sealed class SendingClientHandler : DelegatingHandler
{
    private readonly Client _client;
    // Null with handlers of the application before it. The factory's own handler only knows how long the chain is in use.
    private readonly ChainHandler? _chain;
    private SendingClient? _sending;
    private Uri? _baseAddress;

    /// <param name="handlers">The handlers of the client's name, as the factory made them.</param>
    internal SendingClientHandler(HttpMessageHandler handlers, Client client)
        : base(handlers)
    {
        _client = client;
        bool isOfFactory = handlers.GetType().Assembly == typeof(HttpClientFactoryOptions).Assembly;
        _chain = handlers as ChainHandler ?? (isOfFactory ? (handlers as DelegatingHandler)?.InnerHandler as ChainHandler : null);
    }

    internal void SetClient(HttpClient client) => _sending = new(client);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (_chain is not null)
        {
            LearnBaseAddress();
            return _chain.SendAsync(request, _sending!.HttpClient, cancellationToken);
        }

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
        LearnBaseAddress();
        request.Options.Set(
            SendingClient.Key,
            _chain is not null ? _sending!
                : new(_sending!.HttpClient, _client.Time.GetTimestamp(), request.Headers.NonValidated, request.RequestUri));
    }

    private void LearnBaseAddress()
    {
        if (_sending!.HttpClient.BaseAddress is { } baseAddress && !ReferenceEquals(baseAddress, _baseAddress))
            BaseAddresses.Of(_client).Add(_baseAddress = baseAddress);
    }
}
