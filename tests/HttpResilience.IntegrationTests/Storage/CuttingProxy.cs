using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Stands before a server and, when told to, lets one request through and cuts the connection instead of passing on the answer: done, and nobody knows.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closed = new();
    private readonly int _server;
    private readonly Task _accepting;
    private byte[]? _cutAfter;
    private int _cuts;

    internal CuttingProxy(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    internal int Cuts => Volatile.Read(ref _cuts);

    /// <summary>Cuts the answer to the next request that holds this text.</summary>
    internal void CutAfter(string text) => Volatile.Write(ref _cutAfter, Encoding.UTF8.GetBytes(text));

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
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            await server.ConnectAsync(IPAddress.Loopback, _server);
            var cut = new StrongBox();
            await Task.WhenAny(CopyAsync(client, server, chunk => cut.Is |= IsToCut(chunk)), CopyAsync(server, client, _ => { }, () => cut.Is));
            if (cut.Is)
                Interlocked.Increment(ref _cuts);
        }
    }

    private bool IsToCut(ReadOnlySpan<byte> chunk)
    {
        byte[]? text = Volatile.Read(ref _cutAfter);
        return text is not null && chunk.IndexOf(text) >= 0 && Interlocked.CompareExchange(ref _cutAfter, null, text) == text;
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, SeenChunk seen, Func<bool>? isCut = null)
    {
        byte[] buffer = new byte[65_536];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _closed.Token) is > 0 and var read && isCut?.Invoke() != true)
            {
                seen(buffer.AsSpan(0, read));
                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _closed.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // Either end has gone, or the test is over.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _closed.Dispose();
    }

    private delegate void SeenChunk(ReadOnlySpan<byte> chunk);

    private sealed class StrongBox
    {
        internal volatile bool Is;
    }
}
