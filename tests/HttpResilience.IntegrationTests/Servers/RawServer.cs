using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace HttpResilience.IntegrationTests;

/// <summary>
/// A TCP listener on a free loopback port for behaviour that an HTTP server does not have. Each request, or other first bytes on an idle
/// connection, takes the next step of the script; the last step serves all further requests.
/// </summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopped = new();
    private readonly ConcurrentBag<Task> _serving = [];
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();
    private readonly Func<RawConnection, Task>[] _steps;
    private readonly Task _accepting;
    private int _count;
    private int _connections;

    internal RawServer(params Func<RawConnection, Task>[] steps)
    {
        _steps = steps;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    internal int Port { get; }

    internal Uri Uri => new($"http://127.0.0.1:{Port}/");

    /// <summary>The number of steps started.</summary>
    internal int Count => Volatile.Read(ref _count);

    internal int Connections => Volatile.Read(ref _connections);

    internal IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    internal CancellationToken Stopped => _stopped.Token;

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        await _accepting;
        _listener.Dispose();
        await Task.WhenAll(_serving);
        _stopped.Dispose();
    }

    internal void Record(ReceivedRequest request) => _requests.Enqueue(request);

    private async Task AcceptAsync()
    {
        try
        {
            while (!_stopped.IsCancellationRequested)
            {
                var socket = await _listener.AcceptSocketAsync(_stopped.Token);
                Interlocked.Increment(ref _connections);
                _serving.Add(ServeAsync(socket));
            }
        }
        catch (OperationCanceledException)
        {
            _listener.Stop();
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var connection = new RawConnection(this, socket);
        try
        {
            while (connection.IsOpen && await connection.HasBytesAsync())
            {
                int number = Interlocked.Increment(ref _count) - 1;
                await _steps[Math.Min(number, _steps.Length - 1)](connection);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The client has disconnected, or the test has ended.
            connection.Dispose();
        }
    }
}
