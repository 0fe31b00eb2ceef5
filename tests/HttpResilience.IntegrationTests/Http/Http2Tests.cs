using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace HttpResilience.IntegrationTests;

/// <summary>HTTP/2 without TLS (prior knowledge): many calls on one connection, each on a stream that can fail alone.</summary>
public sealed class Http2Tests
{
    private const byte Headers = 1;
    private const int InternalError = 2;
    private const int RefusedStream = 7;
    private const int Cancel = 8;
    private const int EnhanceYourCalm = 11;

    [Fact]
    public async Task A_failed_request_is_sent_again_on_the_same_connection()
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.Unavailable, Reply.Ok());
        await using var client = Http2Client(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Post());

        response.ShouldHaveSucceeded(attempts: 2);
        response.Version.ShouldBe(HttpVersion.Version20);
        server.Connections.ShouldBe(1);
    }

    [Theory, InlineData(InternalError), InlineData(Cancel), InlineData(EnhanceYourCalm)]
    public async Task A_reset_stream_is_an_ambiguous_attempt(int error)
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.Reset(error), Reply.Ok(), Reply.Reset(error));
        await using var client = Http2Client(server.Uri);
        await using var unkeyed = Http2Client(server.Uri, options => options.Idempotency.Enabled = false);

        using var response = await client.Client.SendAsync(Mode.Async, Post());
        var exception = await unkeyed.Client.FailAsync<HttpRequestException>(Mode.Async, Post());

        response.ShouldHaveSucceeded(attempts: 2);
        server.Requests[0].Key.ShouldBe(server.Requests[1].Key);
        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.UnsafeMethod);
    }

    [Fact]
    public async Task A_request_on_a_refused_stream_is_sent_again()
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.Reset(RefusedStream), Reply.Ok());
        await using var client = Http2Client(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Post());

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_request_that_is_refused_again_and_again_was_not_processed()
    {
        await using var server = await KestrelServer.StartHttp2Async([.. Enumerable.Repeat(Reply.Reset(RefusedStream), 100)]);
        await using var client = Http2Client(server.Uri, options => options.Idempotency.Enabled = false);

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Post());

        exception.GetHttpCall().ShouldHaveEnded(4, FailureClass.Transient, StopReason.AttemptsExhausted);
        server.Requests.ShouldAllBe(r => r.Key == null);
    }

    /// <summary>A response may come before the body has been sent (RFC 9113 §8.1): the stream is read by one attempt at a time.</summary>
    [Theory, InlineData(503), InlineData(429)]
    public async Task A_file_is_sent_again_whole_after_a_response_that_came_before_its_end(int status)
    {
        byte[] file = new byte[8 << 20];
        new Random(1).NextBytes(file);
        using var received = new MemoryStream();
        await using var server = await KestrelServer.StartHttp2Async(
            async context =>
            {
                await context.Request.Body.ReadExactlyAsync(new byte[100]);
                context.Response.StatusCode = status;
                await context.Response.CompleteAsync();
                await context.Request.Body.CopyToAsync(Stream.Null);
            },
            context => context.Request.Body.CopyToAsync(received));
        await using var client = Http2Client(server.Uri);
        using var content = new StreamContent(new SlowStream(file));

        using var response = await client.Client.SendAsync(Mode.Async, Put(content));

        response.ShouldHaveSucceeded(attempts: 2);
        received.ToArray().AsSpan().SequenceEqual(file).ShouldBeTrue();
    }

    [Fact]
    public async Task A_file_may_be_closed_when_its_response_has_come()
    {
        await using var server = await KestrelServer.StartHttp2Async(async context =>
        {
            await context.Response.Body.FlushAsync();
            await context.Request.Body.CopyToAsync(Stream.Null);
        });
        await using var client = Http2Client(server.Uri);
        var file = new SlowStream(new byte[8 << 20]);

        using (await client.Client.SendAsync(
            Put(new StreamContent(file)), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
            file.Position.ShouldBe(file.Length);
    }

    private sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            return Read(buffer.Span[..Math.Min(buffer.Length, 1000)]);
        }
    }

    /// <summary>GOAWAY with a lower last stream (RFC 9113 §6.8).</summary>
    [Fact]
    public async Task A_request_that_closing_connections_leave_out_again_and_again_was_not_processed()
    {
        Func<RawConnection, Task> leaveOut = async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("\0\0\0\u0004\0\0\0\0\0");
            await connection.UntilFrameAsync(Headers);
            // The last stream is 0, the error NO_ERROR.
            await connection.SendAsync("\0\0\u0008\u0007\0\0\0\0\0\0\0\0\0\0\0\0\0");
            await connection.UntilGoneAsync();
        };
        await using var server = new RawServer([.. Enumerable.Repeat(leaveOut, 100)]);
        await using var client = Http2Client(server.Uri, options => options.Idempotency.Enabled = false);

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Post());

        exception.GetHttpCall().ShouldHaveEnded(4, FailureClass.Transient, StopReason.AttemptsExhausted);
        exception.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Fact]
    public async Task A_request_after_a_goaway_uses_a_new_connection()
    {
        await using var server = await KestrelServer.StartHttp2Async(async context =>
        {
            await Reply.ReadAsync(context);
            context.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().RequestClose();
        });
        await using var client = Http2Client(server.Uri);

        for (int call = 0; call < 10; call++)
        {
            using var response = await client.Client.SendAsync(Mode.Async, Post());
            response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        }

        server.Connections.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task A_connection_that_breaks_costs_each_of_its_calls_one_attempt()
    {
        const int Calls = 20;
        var arrived = new CountdownEvent(Calls);
        await using var server = await KestrelServer.StartHttp2Async([
            .. Enumerable.Repeat<Microsoft.AspNetCore.Http.RequestDelegate>(async context =>
            {
                await Reply.ReadAsync(context);
                if (arrived.Signal())
                    context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
                else
                    await Reply.Silence(context);
            }, Calls),
            Reply.Ok()]);
        await using var client = Http2Client(server.Uri);

        var responses = await Task.WhenAll(Enumerable.Range(0, Calls).Select(_ => client.Client.SendAsync(Mode.Async, Post())));

        responses.ShouldAllBe(r => r.StatusCode == HttpStatusCode.OK && r.GetHttpCall()!.Attempts.Count == 2);
        server.Requests.GroupBy(r => r.Key).Count().ShouldBe(Calls);
        foreach (var response in responses)
            response.Dispose();
        arrived.Dispose();
    }

    [Fact]
    public async Task A_post_without_a_key_is_not_sent_again_when_its_connection_breaks()
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.Ok(), async context =>
        {
            await Reply.ReadAsync(context);
            context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
        });
        await using var client = Http2Client(server.Uri, options => options.Idempotency.Enabled = false);
        (await client.Client.SendAsync(Mode.Async, Post())).Dispose();

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Post());

        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.UnsafeMethod);
        server.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_attempt_that_times_out_does_not_affect_other_calls_on_its_connection()
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.Silence, Reply.Ok());
        await using var client = Http2Client(server.Uri, options => options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(400));

        using var response = await client.Client.SendAsync(Mode.Async, Post());

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        response.GetHttpCall()!.Attempts[0].FailureClass.ShouldBe(FailureClass.Transient);
        server.Connections.ShouldBe(1);
    }

    private static HttpRequestMessage Put(HttpContent content) => new(HttpMethod.Put, "file")
    {
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Content = content,
    };

    private static HttpRequestMessage Post()
    {
        var request = Sending.Post();
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return request;
    }

    private static ResilientClientUnderTest Http2Client(Uri uri, Action<HttpResilienceOptions>? configure = null) => new(uri, configure);
}
