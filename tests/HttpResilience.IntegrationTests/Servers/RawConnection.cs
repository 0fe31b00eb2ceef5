using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace HttpResilience.IntegrationTests;

/// <summary>One connection of a <see cref="RawServer"/>, controlled by a step.</summary>
internal sealed class RawConnection(RawServer server, Socket socket) : IDisposable
{
    private readonly NetworkStream _stream = new(socket, ownsSocket: true);
    private readonly List<byte> _received = [];

    internal bool IsOpen { get; private set; } = true;

    /// <summary>Cancelled at the end of the test.</summary>
    internal CancellationToken Stopped => server.Stopped;

    /// <summary>Waits for the first bytes of the next request; false when the client has closed the connection.</summary>
    internal async Task<bool> HasBytesAsync()
    {
        if (_received.Count > 0)
            return true;
        byte[] first = new byte[1];
        return await socket.ReceiveAsync(first, SocketFlags.Peek, server.Stopped) > 0;
    }

    internal async Task<ReceivedRequest> ReadRequestAsync()
    {
        string head;
        int end;
        while ((end = (head = Encoding.Latin1.GetString([.. _received])).IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
            await ReceiveAsync();
        _received.RemoveRange(0, end + 4);

        string[] lines = head[..end].Split("\r\n");
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(h => h[0], h => h[1], StringComparer.OrdinalIgnoreCase);
        int length = headers.TryGetValue("Content-Length", out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        while (_received.Count < length)
            await ReceiveAsync();
        byte[] body = [.. _received.Take(length)];
        _received.RemoveRange(0, length);

        string[] requestLine = lines[0].Split(' ');
        var request = new ReceivedRequest(requestLine[0], requestLine[1], headers, body, socket.RemoteEndPoint!.ToString()!);
        server.Record(request);
        return request;
    }

    /// <summary>Reads HTTP/2 frames after <c>PRI * HTTP/2.0</c>, up to the first of a type.</summary>
    internal async Task UntilFrameAsync(byte type)
    {
        _received.RemoveRange(0, await ReceivedAsync("SM\r\n\r\n".Length));
        byte read;
        do
        {
            await ReceivedAsync(9);
            read = _received[3];
            _received.RemoveRange(0, await ReceivedAsync(9 + (_received[0] << 16 | _received[1] << 8 | _received[2])));
        }
        while (read != type);
    }

    private async Task<int> ReceivedAsync(int length)
    {
        while (_received.Count < length)
            await ReceiveAsync();
        return length;
    }

    internal ValueTask SendAsync(string text) => _stream.WriteAsync(Encoding.Latin1.GetBytes(text), server.Stopped);

    /// <summary>Closes the connection gracefully (FIN).</summary>
    internal void Close()
    {
        IsOpen = false;
        socket.Shutdown(SocketShutdown.Send);
        _stream.Dispose();
    }

    /// <summary>Resets the connection (RST), as a crashed program does.</summary>
    internal void Reset()
    {
        IsOpen = false;
        socket.LingerState = new LingerOption(true, 0);
        _stream.Dispose();
    }

    /// <summary>Waits until the client closes the connection or the test ends.</summary>
    internal async Task UntilGoneAsync()
    {
        byte[] buffer = new byte[4096];
        while (await _stream.ReadAsync(buffer, server.Stopped) > 0)
        {
        }
    }

    public void Dispose()
    {
        IsOpen = false;
        _stream.Dispose();
    }

    private async Task ReceiveAsync()
    {
        byte[] buffer = new byte[16 * 1024];
        int count = await _stream.ReadAsync(buffer, server.Stopped);
        if (count == 0)
            throw new IOException("The client has closed the connection in the middle of a request.");
        _received.AddRange(buffer.AsSpan(0, count));
    }
}
