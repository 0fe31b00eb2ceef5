using System.Net;
using System.Net.Http.Json;
using System.Text;
using HttpResilience.Tests.Http;

namespace HttpResilience.IntegrationTests;

/// <summary>Which request bodies are sent again over a real connection, complete to the last byte.</summary>
public sealed class RequestBodyTests
{
    private static readonly byte[] Long = MakeLong();

    private static readonly Dictionary<string, (Func<HttpContent> Make, byte[]? Expected)> Replayable = new()
    {
        ["nothing"] = (() => null!, []),
        ["text"] = (() => new StringContent("Grüße"), "Grüße"u8.ToArray()),
        ["bytes"] = (() => new ByteArrayContent(Long, 5, 70_000), Long[5..70_005]),
        ["json"] = (() => JsonContent.Create(new { Number = 7, Net = 1.5m }), "{\"number\":7,\"net\":1.5}"u8.ToArray()),
        ["form"] = (() => new FormUrlEncodedContent([new("a", "1 2"), new("b", "&")]), "a=1+2&b=%26"u8.ToArray()),
        ["memory"] = (() => new ReadOnlyMemoryContent(Long.AsMemory(100, 50)), Long[100..150]),
        ["multipart"] = (Multipart, null),
        ["a stream that can seek"] = (() => new StreamContent(new MemoryStream(Long)), Long),
        ["a stream that can seek, from its middle"] = (() => new StreamContent(new MemoryStream(Long) { Position = 1000 }), Long[1000..]),
        ["a file, from its middle"] = (FileFromItsMiddle, Long[1000..]),
        ["a stream of known length that cannot seek"] = (() => Forward(Long, announce: true), Long),
        ["a stream of unknown length that cannot seek"] = (() => Forward(Long, announce: false), Long),
        ["a stream that says it can seek and cannot"] = (() => new StreamContent(new FalseSeekStream(Long)), Long),
        ["json of an iterator"] = (() => JsonContent.Create(OneShot.Rows(["a", "b"])), "[\"a\",\"b\"]"u8.ToArray()),
        ["json of an asynchronous iterator"] = (() => JsonContent.Create(OneShot.RowsAsync(["a", "b"])), "[\"a\",\"b\"]"u8.ToArray()),
        ["json of an object with an iterator"] =
            (() => JsonContent.Create(new { Rows = OneShot.Rows(["a"]), Net = 1 }), "{\"rows\":[\"a\"],\"net\":1}"u8.ToArray()),
        ["a pushed content"] = (() => new Pushed(Long), Long),
        ["multipart with a stream that cannot seek"] = (() => new MultipartFormDataContent("border")
        {
            { Forward(Long[..5000], announce: false), "file", "the attachment" },
            { JsonContent.Create(OneShot.Rows(["a"])), "rows" },
        }, null),
    };

    public static TheoryData<string, Mode> All => [.. Replayable.Keys.SelectMany(c => new[] { (c, Mode.Async), (c, Mode.Sync) })];

    [Theory, MemberData(nameof(All))]
    public async Task A_body_that_can_be_read_again_is_sent_again(string body, Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Abort, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Post(Replayable[body].Make()));

        response.ShouldHaveSucceeded(attempts: 3);
        server.Requests.Count.ShouldBe(3);
        server.Requests.ShouldAllBe(r => r.Body.SequenceEqual(Replayable[body].Expected ?? server.Requests[0].Body));
        server.Requests.Select(r => r.Headers.GetValueOrDefault("Content-Type")).Distinct().ShouldHaveSingleItem();
        if (body == "multipart")
            server.Requests[0].Text.ShouldContain("the attachment");
    }

    [Theory]
    [InlineData(Mode.Async, 2_000_000, true), InlineData(Mode.Sync, 2_000_000, true)]
    [InlineData(Mode.Async, 2_000_000, false), InlineData(Mode.Sync, 2_000_000, false)]
    public async Task A_one_way_stream_above_the_limit_is_sent_once(Mode mode, int length, bool announce)
    {
        byte[] bytes = new byte[length];
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Post(Forward(bytes, announce)));

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.BodyNotReplayable);
        (await response.TextAsync()).ShouldBe("busy");
        server.Requests.ShouldHaveSingleItem().Body.Length.ShouldBe(length);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_body_that_outlasts_an_attempt_is_recorded_to_its_end_and_sent_by_the_next(Mode mode)
    {
        var slow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(500);
            options.Retry.MaxRetryAttempts = 100;
        });
        var content = new StreamContent(new ForwardStream(Long[..5000], slow.Task));
        content.Headers.ContentLength = 5000;

        var sending = client.Client.SendAsync(mode, Post(content));
        // The attempt has timed out and closed its connection.
        await Eventually.BeAsync(() => server.Connections > 0 && server.OpenConnections == 0);
        slow.SetResult();

        using var response = await sending;
        response.GetHttpCall()!.Attempts.Count.ShouldBeGreaterThan(1);
        server.Requests.ShouldHaveSingleItem().Body.ShouldBe(Long[..5000]);
    }

    [Fact]
    public async Task A_one_way_stream_is_sent_after_a_failed_connection()
    {
        int port = Ports.Closed();
        KestrelServer? server = null;
        int attempts = 0;
        await using var client = new ResilientClientUnderTest(new Uri($"http://127.0.0.1:{port}/"), build: b => b.AddAttemptHandler(_ =>
        {
            if (++attempts == 3)
                server = KestrelServer.StartAsync(Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1, null, port, [Reply.Ok()])
                    .GetAwaiter().GetResult();
        }));

        using var response = await client.Client.SendAsync(Mode.Async, Post(Forward(Long, announce: false)));

        response.ShouldHaveSucceeded(attempts: 3);
        server!.Requests.ShouldHaveSingleItem().Body.ShouldBe(Long);
        await server.DisposeAsync();
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_body_with_expect_continue_is_sent_after_the_server_agrees(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.WithoutReading(503), Reply.Unavailable, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);
        var request = Post(new ByteArrayContent(Long));
        request.Headers.ExpectContinue = true;

        using var response = await client.Client.SendAsync(mode, request);

        response.ShouldHaveSucceeded(attempts: 3);
        server.Requests.Count.ShouldBe(2);
        server.Requests.ShouldAllBe(r => r.Headers["Expect"] == "100-continue" && r.Body.SequenceEqual(Long));
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_request_refused_before_its_body_was_read_is_sent_again(Mode mode)
    {
        byte[] bytes = new byte[5_000_000];
        await using var server = await KestrelServer.StartAsync(Reply.WithoutReading(503), Reply.WithoutReading(429), Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Post(new ByteArrayContent(bytes)));

        response.ShouldHaveSucceeded(attempts: 3);
        server.Requests.ShouldHaveSingleItem().Body.Length.ShouldBe(bytes.Length);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_request_whose_connection_closes_during_its_body_is_sent_again(Mode mode)
    {
        byte[] bytes = new byte[5_000_000];
        await using var server = new RawServer(Raw.ResetUnread, Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Post(new ByteArrayContent(bytes)));

        response.ShouldHaveSucceeded(attempts: 2);
        server.Requests.ShouldHaveSingleItem().Body.Length.ShouldBe(bytes.Length);
    }

    private static HttpRequestMessage Post(HttpContent? content) => new(HttpMethod.Post, "/upload") { Content = content };

    private static byte[] MakeLong()
    {
        byte[] bytes = new byte[200_000];
        new Random(20260101).NextBytes(bytes);
        return bytes;
    }

    private static MultipartFormDataContent Multipart() => new()
    {
        { new StringContent("7"), "row" },
        { new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes("the attachment"))), "file", "a.txt" },
    };

    private static StreamContent FileFromItsMiddle()
    {
        var file = new FileStream(
            Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 4096, FileOptions.DeleteOnClose);
        file.Write(Long);
        file.Position = 1000;
        return new StreamContent(file);
    }

    private static StreamContent Forward(byte[] bytes, bool announce)
    {
        var content = new StreamContent(new ForwardStream(bytes));
        if (announce)
            content.Headers.ContentLength = bytes.Length;
        return content;
    }

    /// <summary>Writes its body once, in pieces, as the content types of Refit and gRPC do.</summary>
    private sealed class Pushed(byte[] bytes) : HttpContent
    {
        private bool _isWritten;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            if (Interlocked.Exchange(ref _isWritten, true))
                throw new InvalidOperationException("Written twice.");
            foreach (byte[] chunk in bytes.Chunk(30_000))
            {
                await Task.Yield();
                await stream.WriteAsync(chunk);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>A one-way stream that returns its content in pieces, the first after a task.</summary>
    private sealed class ForwardStream(byte[] bytes, Task? first = null) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1000)]);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await (first ?? Task.CompletedTask).WaitAsync(cancellationToken);
            return await base.ReadAsync(buffer[..Math.Min(buffer.Length, 1000)], cancellationToken);
        }
    }
}
