using System.Net;
using System.Net.Sockets;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>An address of a service, such as a virtual IP address or a load balancer, that leads to one server after the other.</summary>
internal sealed class MovingEndpoint : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private readonly List<TcpClient> _open = [];
    private readonly Task _accepting;
    private volatile int _server;

    internal MovingEndpoint(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>New connections lead to another server; open ones stay where they are, as those of a load balancer often do.</summary>
    internal void MoveTo(int server) => _server = server;

    /// <summary>Cuts the open connections.</summary>
    internal void Cut()
    {
        lock (_gate)
        {
            _open.ForEach(c => c.Close());
            _open.Clear();
        }
    }

    private async Task AcceptAsync()
    {
        List<Task> relays = [];
        try
        {
            while (true)
                relays.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_closed.Token)));
        }
        catch (OperationCanceledException)
        {
            Cut();
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                lock (_gate)
                    _open.AddRange([client, server]);
                await server.ConnectAsync(IPAddress.Loopback, _server, _closed.Token);
                var requests = client.GetStream().CopyToAsync(server.GetStream());
                var answers = server.GetStream().CopyToAsync(client.GetStream());
                await Task.WhenAny(requests, answers);
                client.Close();
                server.Close();
                await Task.WhenAll(requests, answers);
            }
            catch (Exception e) when (e is IOException
                or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                // Either end has closed, or the test is over.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _closed.Dispose();
    }
}
