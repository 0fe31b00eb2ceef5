using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// Relays connections to a PostgreSQL server and cuts one at a chosen moment, so that a request is executed and its response is lost.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closed = new();
    private readonly int _server;
    private readonly Task _accepting;
    private byte[]? _cutAfter;
    private AnswerCount? _answers;
    private byte[]? _refusal;
    private int _cuts;

    internal CuttingProxy(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    internal int Cuts => Volatile.Read(ref _cuts);

    /// <summary>Cuts the response to the next request that contains this text.</summary>
    internal void CutAfter(string text) => Volatile.Write(ref _cutAfter, Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// Cuts the next connection when the server has sent this many messages after the first request that contains the text.
    /// </summary>
    internal void CutAfterAnswers(string text, int messages) => Volatile.Write(ref _answers, new(Encoding.UTF8.GetBytes(text), messages));

    /// <summary>Responds to the next connection with this error instead of the server.</summary>
    internal void RefuseNext(string sqlState)
    {
        byte[] fields = Encoding.ASCII.GetBytes($"SFATAL\0VFATAL\0C{sqlState}\0Mrefused by the test\0\0");
        byte[] message = [(byte)'E', 0, 0, 0, 0, .. fields];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), fields.Length + 4);
        Volatile.Write(ref _refusal, message);
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
                if (Interlocked.Exchange(ref _refusal, null) is { } refusal)
                {
                    await RefuseAsync(client, refusal);
                    return;
                }

                await server.ConnectAsync(IPAddress.Loopback, _server);
                var connection = new Relayed(Interlocked.Exchange(ref _answers, null));
                Task requests = RelayRequestsAsync(client, server, connection), answers = RelayAnswersAsync(server, client, connection);
                var first = await Task.WhenAny(requests, answers);
                if (first.IsCompletedSuccessfully && connection.IsCut)
                    Interlocked.Increment(ref _cuts);
                // The end of one direction closes both, and the other one fails.
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

    private async Task RefuseAsync(TcpClient client, byte[] refusal)
    {
        await client.GetStream().ReadAtLeastAsync(new byte[8192], 8, throwOnEndOfStream: false, _closed.Token);
        await client.GetStream().WriteAsync(refusal, _closed.Token);
        Interlocked.Increment(ref _cuts);
    }

    private async Task RelayRequestsAsync(TcpClient client, TcpClient server, Relayed connection)
    {
        byte[] buffer = new byte[65_536];
        while (await client.GetStream().ReadAsync(buffer, _closed.Token) is > 0 and var read)
        {
            connection.IsCut |= IsToCut(buffer.AsSpan(0, read));
            connection.Answers?.Sent(buffer.AsSpan(0, read));
            await server.GetStream().WriteAsync(buffer.AsMemory(0, read), _closed.Token);
        }
    }

    private async Task RelayAnswersAsync(TcpClient server, TcpClient client, Relayed connection)
    {
        byte[] buffer = new byte[65_536];
        while (await server.GetStream().ReadAsync(buffer, _closed.Token) is > 0 and var read)
        {
            if (connection.IsCut)
                return;
            int passed = connection.Answers?.Pass(buffer.AsSpan(0, read)) ?? read;
            await client.GetStream().WriteAsync(buffer.AsMemory(0, passed), _closed.Token);
            if (connection.Answers is { IsReached: true })
            {
                connection.IsCut = true;
                return;
            }
        }
    }

    private bool IsToCut(ReadOnlySpan<byte> chunk)
    {
        byte[]? text = Volatile.Read(ref _cutAfter);
        return text is not null && chunk.IndexOf(text) >= 0 && Interlocked.CompareExchange(ref _cutAfter, null, text) == text;
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _closed.Dispose();
    }

    private sealed class Relayed(AnswerCount? answers)
    {
        internal volatile bool IsCut;

        internal AnswerCount? Answers => answers;
    }

    /// <summary>Counts the messages of the server: each has a type and a length that includes itself.</summary>
    private sealed class AnswerCount(byte[] from, int most)
    {
        private readonly List<byte> _header = [];
        private volatile bool _counts;
        private int _count;
        private int _bodyLeft;

        internal bool IsReached { get; private set; }

        internal void Sent(ReadOnlySpan<byte> request) => _counts |= request.IndexOf(from) >= 0;

        /// <summary>Returns how many bytes of a chunk come before the cut.</summary>
        internal int Pass(ReadOnlySpan<byte> chunk)
        {
            for (int i = 0; i < chunk.Length; i++)
            {
                if (_counts && _header.Count == 0 && _count == most)
                {
                    IsReached = true;
                    return i;
                }

                if (_bodyLeft > 0)
                    _bodyLeft--;
                else
                    ReadHeader(chunk[i]);
                if (_header.Count == 5 && _bodyLeft == 0)
                {
                    _header.Clear();
                    _count += _counts ? 1 : 0;
                }
            }

            return chunk.Length;
        }

        private void ReadHeader(byte next)
        {
            _header.Add(next);
            if (_header.Count == 5)
                _bodyLeft = BinaryPrimitives.ReadInt32BigEndian(_header.ToArray().AsSpan(1)) - 4;
        }
    }
}
