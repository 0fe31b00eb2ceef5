using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using HttpResilience.Tests.Http;

namespace HttpResilience.IntegrationTests;

/// <summary>A body that fails by itself says nothing about the host, which may have processed what was sent of it.</summary>
public sealed class BodyFailureTests
{
    private static readonly Dictionary<string, Func<HttpContent>> Contents = new()
    {
        ["a content that throws"] = () => new PushedContent((_, _) => throw new InvalidOperationException("bug")),
        ["a content that throws midway"] = () => Pushed(new InvalidOperationException("bug")),
        ["a content whose file fails"] = () => Pushed(new IOException("disk")),
        ["a content whose own source is down"] = () => Pushed(NoConnection()),
        ["a content whose own source refuses"] = () => Pushed(new SocketException((int)SocketError.ConnectionRefused)),
        ["a content that is too short"] = () => new PushedContent(Write, length: 20_000),
        ["a content that is too long"] = () => new PushedContent(Write, length: 20),
        ["a stream that throws"] = () => new StreamContent(new BreakingStream(new InvalidOperationException("bug"))),
        ["a stream whose file fails"] = () => new StreamContent(new BreakingStream(new IOException("disk"))),
        ["a stream whose own source is down"] = () => new StreamContent(new BreakingStream(NoConnection())),
        ["a stream that cannot seek and fails"] = () => new StreamContent(new BreakingStream(new IOException("disk"), canSeek: false)),
        ["a stream that is too short"] = () => WithLength(new StreamContent(new MemoryStream(new byte[10])), 20),
        ["a stream that is too long"] = () => WithLength(new StreamContent(new MemoryStream(new byte[10])), 5),
        ["bytes that are too short"] = () => WithLength(new ByteArrayContent(new byte[10]), 20),
        ["text that is too long"] = () => WithLength(new StringContent("an invoice"), 5),
        ["json of another length"] = () => WithLength(JsonContent.Create(new { A = 1 }), 500),
        ["rows whose reader fails"] = () => JsonContent.Create(Rows()),
        ["parts, one of which fails"] = () => new MultipartFormDataContent
        {
            { new StringContent("a"), "a" },
            { new StreamContent(new BreakingStream(NoConnection(), canSeek: false)), "b" },
        },
    };

    public static TheoryData<string, Mode> All => [.. Contents.Keys.SelectMany(c => new[] { (c, Mode.Async), (c, Mode.Sync) })];

    [Theory, MemberData(nameof(All))]
    public async Task A_body_that_fails_leaves_the_circuit_closed(string body, Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, o =>
        {
            o.CircuitBreaker.UseClassic().FailureThreshold = 1;
            o.Retry.MaxRetryAttempts = 1;
        });

        for (int i = 0; i < 3; i++)
            await Should.ThrowAsync<Exception>(() => client.Client.SendAsync(mode, Post(Contents[body]())));
        using var good = await client.Client.SendAsync(mode, new(HttpMethod.Get, "/good"));

        good.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory, MemberData(nameof(All))]
    public async Task An_unkeyed_post_is_not_repeated_when_a_part_of_its_body_was_sent(string body, Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, o => o.Idempotency.Enabled = false);

        var thrown = await Should.ThrowAsync<Exception>(() => client.Client.SendAsync(mode, Post(Contents[body]())));

        thrown.GetHttpCall()!.Attempts.Count.ShouldBe(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_is_slow_leaves_the_circuit_closed(bool canSeek)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, o =>
        {
            o.CircuitBreaker.UseClassic().FailureThreshold = 1;
            o.Retry.MaxRetryAttempts = 0;
        });
        for (int i = 0; i < 3; i++)
        {
            using var request = Post(new StreamContent(new BreakingStream(null, canSeek)));
            request.WithAttemptTimeout(TimeSpan.FromMilliseconds(200));
            await Should.ThrowAsync<Exception>(() => client.Client.SendAsync(Mode.Async, request));
        }

        using var good = await client.Client.SendAsync(Mode.Async, new(HttpMethod.Get, "/good"));

        good.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_host_that_does_not_read_a_body_opens_the_circuit()
    {
        await using var server = new RawServer(Raw.ResetUnread, Raw.ResetUnread);
        await using var client = new ResilientClientUnderTest(server.Uri, o =>
        {
            o.CircuitBreaker.UseClassic().FailureThreshold = 1;
            o.Retry.MaxRetryAttempts = 0;
        });

        await Should.ThrowAsync<HttpRequestException>(
            () => client.Client.SendAsync(Mode.Async, Post(new StreamContent(new MemoryStream(new byte[5_000_000])))));

        await Should.ThrowAsync<CircuitOpenException>(() => client.Client.SendAsync(Mode.Async, new(HttpMethod.Get, "/good")));
    }

    [Fact]
    public async Task What_the_platform_refuses_to_send_is_no_attempt()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);
        HttpRequestMessage[] requests =
        [
            new(HttpMethod.Get, "ftp://127.0.0.1:21/"),
            new(HttpMethod.Post, "/") { Version = HttpVersion.Version10, Content = Pushed(new IOException()) },
            new(HttpMethod.Put, "/") { Version = HttpVersion.Version10, Content = JsonContent.Create(1) },
            new(HttpMethod.Post, "mailto:a@b.test") { Content = new StringContent("a") },
        ];

        foreach (var request in requests)
        {
            var thrown = await Should.ThrowAsync<NotSupportedException>(() => client.Client.SendAsync(Mode.Async, request));
            var call = thrown.GetHttpCall()!;
            (call.Attempts.Count, call.MayHaveBeenProcessed).ShouldBe((0, false));
        }

        server.Requests.ShouldBeEmpty();
    }

    private static HttpRequestMessage Post(HttpContent content) => new(HttpMethod.Post, "/upload") { Content = content };

    private static HttpRequestException NoConnection() => new(
        HttpRequestError.ConnectionError, "The source is down.", new SocketException((int)SocketError.ConnectionRefused));

    private static PushedContent Pushed(Exception exception) => new(async (stream, token) =>
    {
        await Write(stream, token);
        throw exception;
    });

    private static async Task Write(Stream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(new byte[10_000], cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    private static HttpContent WithLength(HttpContent content, long length)
    {
        content.Headers.ContentLength = length;
        return content;
    }

    private static IEnumerable<int> Rows()
    {
        for (int i = 0; i < 20_000; i++)
            yield return i;
        throw NoConnection();
    }

    /// <summary>Fails, or waits without an end, after half of its bytes.</summary>
    private sealed class BreakingStream(Exception? exception, bool canSeek = true) : MemoryStream(new byte[200_000])
    {
        public override bool CanSeek => canSeek;

        public override int Read(byte[] buffer, int offset, int count) =>
            Position < 100_000 ? base.Read(buffer, offset, count) : throw exception!;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (exception is null && Position >= 100_000)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            return Read(buffer.Span);
        }

        public override void CopyTo(Stream destination, int bufferSize)
        {
            byte[] buffer = new byte[10_000];
            while (Read(buffer) is > 0 and int read)
                destination.Write(buffer, 0, read);
        }

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            byte[] buffer = new byte[10_000];
            while (await ReadAsync(buffer, cancellationToken) is > 0 and int read)
                await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }
}
