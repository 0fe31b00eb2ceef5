using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace HttpResilience.Tests.Http;

/// <summary>A request content at random, with the bytes that it must send, and the fault that keeps it from sending them.</summary>
internal sealed class FuzzedBody
{
    internal const string Marker = "The fuzzed source failed.";

    private readonly Random _random;
    private readonly Action _stalls;
    private readonly StringBuilder _kinds = new();

    /// <param name="maxLength">Of a part.</param>
    /// <param name="stalls">Called when the source stalls.</param>
    internal FuzzedBody(Random random, int maxLength, Action stalls)
    {
        (_random, _stalls) = (random, stalls);
        (Content, Expected) = Make(maxLength, depth: 0);
        if (random.Next(4) == 0)
            Content.Headers.TryAddWithoutValidation("X-Number", $"{random.Next(100)}");
    }

    internal HttpContent Content { get; }

    /// <summary>All bytes of the body.</summary>
    internal byte[] Expected { get; }

    /// <summary>The content throws, or stalls, before its end.</summary>
    internal bool IsBroken { get; private set; }

    public override string ToString() => $"{_kinds} of {Expected.Length} bytes{(IsBroken ? ", broken" : "")}";

    private (HttpContent Content, byte[] Expected) Make(int maxLength, int depth)
    {
        byte[] bytes = new byte[_random.Next(8) == 0 ? 0 : _random.Next(1, maxLength)];
        _random.NextBytes(bytes);
        string[] rows = [.. Enumerable.Range(0, bytes.Length / 100).Select(i => Convert.ToBase64String(bytes, i * 100, 60))];
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(rows);
        int kind = _random.Next(depth > 1 ? 12 : 14);
        _kinds.Append($"{kind} ");
        return kind switch
        {
            0 => (new ByteArrayContent(bytes), bytes),
            1 => (new ReadOnlyMemoryContent(bytes), bytes),
            2 => (new StreamContent(new MemoryStream(bytes)), bytes),
            3 => (JsonContent.Create(rows), json),
            4 => (JsonContent.Create(OneShot.Rows(rows)), json),
            5 => (JsonContent.Create(OneShot.RowsAsync(rows)), json),
            6 => (JsonContent.Create(new { Rows = OneShot.Rows(rows) }), [.. "{\"rows\":"u8, .. json, (byte)'}']),
            7 => (WithLength(new StreamContent(new OneShotStream(bytes)), bytes.Length), bytes),
            8 => (new StreamContent(new FalseSeekStream(bytes)), bytes),
            < 12 => (Pushed(bytes), bytes),
            _ => Multipart(maxLength / 2, depth),
        };
    }

    private PushedContent Pushed(byte[] bytes)
    {
        int fault = _random.Next(8) switch
        {
            0 => 1, // throws
            1 => 2, // stalls and honours its token
            2 => 3, // stalls and ignores its token
            _ => 0,
        };
        int faultAt = _random.Next(bytes.Length + 1);
        int seed = _random.Next();
        IsBroken |= fault != 0;
        return new(async (stream, token) =>
        {
            var random = new Random(seed);
            int end = fault == 0 ? bytes.Length : faultAt;
            for (int at = 0; at < end;)
            {
                int count = Math.Min(end - at, 1 + random.Next(1 << random.Next(15)));
                switch (random.Next(4))
                {
                    case 0:
                        stream.Write(bytes, at, count);
                        break;
                    case 1:
                        stream.Write(bytes.AsSpan(at, count));
                        break;
                    default:
                        await stream.WriteAsync(bytes.AsMemory(at, count), random.Next(2) == 0 ? token : CancellationToken.None);
                        break;
                }

                at += count;
                if (random.Next(4) == 0)
                    await stream.FlushAsync(token);
                if (random.Next(4) == 0)
                    await Task.Yield();
            }

            if (fault == 1)
                throw random.Next(2) == 0 ? new IOException(Marker) : new FormatException(Marker);
            if (fault == 0)
                return;
            _stalls();
            await Task.Delay(Timeout.Infinite, fault == 2 ? token : CancellationToken.None);
        }, _random.Next(2) == 0 ? bytes.Length : null);
    }

    private (HttpContent Content, byte[] Expected) Multipart(int maxLength, int depth)
    {
        var content = new MultipartContent("mixed", $"border{depth}");
        using var expected = new MemoryStream();
        for (int parts = _random.Next(1, 4); parts > 0; parts--)
        {
            var (part, bytes) = Make(maxLength, depth + 1);
            expected.Write(Encoding.ASCII.GetBytes($"{(expected.Length == 0 ? "" : "\r\n")}--border{depth}\r\n"));
            foreach (var (name, values) in part.Headers.NonValidated)
                expected.Write(Encoding.ASCII.GetBytes($"{name}: {values}\r\n"));
            expected.Write("\r\n"u8);
            expected.Write(bytes);
            content.Add(part);
        }

        expected.Write(Encoding.ASCII.GetBytes($"\r\n--border{depth}--\r\n"));
        return (content, expected.ToArray());
    }

    private static StreamContent WithLength(StreamContent content, long length)
    {
        content.Headers.ContentLength = length;
        return content;
    }
}
