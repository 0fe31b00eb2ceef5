using HttpResilience.Simulation;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Peers;

/// <summary>A client of a peer, from the factory and over sockets unless the point replaces them.</summary>
internal sealed class PeerClient : IAsyncDisposable
{
    internal const string Name = "peer";

    /// <summary>A call that takes longer is considered to hang.</summary>
    internal static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly ServiceProvider _services;
    private readonly LineCounter _log = new();

    internal PeerClient(
        Peer peer, PeerSettings? settings = null, Action<IHttpClientBuilder>? build = null, Action<SocketsHttpHandler>? sockets = null)
        : this(services => peer.AddTo(services, settings ?? new()), builder =>
        {
            build?.Invoke(builder);
            builder.AddTypedClient(client => new TypedClient(client, settings?.OfConstructor));
        }, sockets) => Client = _services.GetRequiredService<TypedClient>().Client;

    internal PeerClient(
        Func<IServiceCollection, IHttpClientBuilder> add, Action<IHttpClientBuilder>? build = null,
        Action<SocketsHttpHandler>? sockets = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(_log));
        var builder = add(services);
        builder.UseSocketsHttpHandler((handler, _) =>
        {
            (handler.UseProxy, handler.UseCookies) = (false, false);
            sockets?.Invoke(handler);
        });
        build?.Invoke(builder);
        _services = services.BuildServiceProvider();
        Client = _services.GetRequiredService<IHttpClientFactory>().CreateClient(Name);
    }

    internal HttpClient Client { get; }

    internal IServiceProvider Services => _services;

    /// <summary>The log records at Information and above.</summary>
    internal long LogRecords => _log.Lines;

    /// <summary>Sends, and says the status or the exception that the caller gets.</summary>
    internal async Task<string> EndOfAsync(HttpRequestMessage request, CancellationToken cancellationToken = default)
    {
        try
        {
            using var response = await Client.SendAsync(request, cancellationToken).WaitAsync(Hang, CancellationToken.None);
            return EndOf(response);
        }
        catch (Exception e) when (e is not TimeoutException)
        {
            return e.GetType().Name;
        }
    }

    /// <summary>The status, and why ours made no further attempt.</summary>
    internal static string EndOf(HttpResponseMessage response) =>
        response.GetHttpCall() is { StopReason: not StopReason.Succeeded } call
            ? $"{(int)response.StatusCode}, {call.StopReason}" : $"{(int)response.StatusCode}";

    internal static HttpRequestMessage Get(Uri uri) => new(HttpMethod.Get, uri);

    internal static HttpRequestMessage Post(Uri uri, HttpContent? content = null) =>
        new(HttpMethod.Post, uri) { Content = content ?? new StringContent("the body") };

    public ValueTask DisposeAsync()
    {
        Client.Dispose();
        return _services.DisposeAsync();
    }

    /// <summary>A typed client whose constructor may set its timeout.</summary>
    private sealed class TypedClient
    {
        internal TypedClient(HttpClient client, TimeSpan? timeout)
        {
            client.Timeout = timeout ?? client.Timeout;
            Client = client;
        }

        internal HttpClient Client { get; }
    }
}
