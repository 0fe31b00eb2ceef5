using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>
/// Error bodies that stall or arrive in pieces: logging them delays no caller and leaves no read pending on a connection.
/// </summary>
public sealed class SlowErrorBodyTests
{
    private const string Head = "HTTP/1.1 400 Bad Request\r\n";

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_stalled_error_body_does_not_hang_the_call_and_its_beginning_is_logged(Mode mode)
    {
        await using var server = new RawServer(Raw.AnswerAndStall(Head + "Content-Length: 100\r\n\r\nthe begin"));
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        client.Log.Calls.ShouldHaveSingleItem()["ErrorBody"].ShouldBe("the begin");
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_stalled_error_body_ends_at_the_client_timeout_when_the_client_reads_it(Mode mode)
    {
        await using var server = new RawServer(Raw.AnswerAndStall(Head + "Content-Length: 100\r\n\r\nthe begin"));
        await using var client = new ResilientClientUnderTest(
            server.Uri, options => options.TotalRequestTimeout.Timeout = TimeSpan.FromMilliseconds(200));

        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Get());

        exception.InnerException.ShouldBeOfType<TimeoutException>();
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_cancelled_call_ends_immediately_while_the_log_reads_the_error_body(Mode mode)
    {
        using var caller = new CancellationTokenSource();
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync(Head + "Content-Length: 20\r\n\r\nthe begin");
            caller.CancelAfter(20);
            await connection.UntilGoneAsync();
        });
        await using var client = new ResilientClientUnderTest(
            server.Uri, build: b => b.Services.AddSingleton<TimeProvider>(new StoppedTime()));

        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Get(), caller: caller.Token);

        exception.CancellationToken.ShouldBe(caller.Token);
    }

    [Fact]
    public async Task The_reader_of_an_error_body_gets_each_piece_when_it_arrives()
    {
        var taken = new SemaphoreSlim(0);
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync(Head + "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
            for (int piece = 0; piece < 3; piece++)
            {
                await taken.WaitAsync(connection.Stopped);
                await connection.SendAsync("4\r\nnext\r\n");
            }

            await connection.UntilGoneAsync();
        });
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);
        var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);

        byte[] buffer = new byte[100];
        List<string> pieces = [];
        for (int piece = 0; piece < 4; piece++)
        {
            int length = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(
                TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
            pieces.Add(Encoding.ASCII.GetString(buffer, 0, length));
            taken.Release();
        }

        pieces.ShouldBe(["first", "next", "next", "next"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_unread_error_body_does_not_affect_the_next_call(bool readerGivesUp)
    {
        var givenUp = new TaskCompletionSource();
        await using var server = new RawServer(
            async connection =>
            {
                await connection.ReadRequestAsync();
                await connection.SendAsync(Head + "Content-Length: 20\r\n\r\nthe begin");
                await givenUp.Task.WaitAsync(connection.Stopped);
                await connection.SendAsync("and the end");
            },
            Raw.Ok);
        await using var client = new ResilientClientUnderTest(
            server.Uri, options => options.Retry.MaxRetryAttempts = 0, s => s.MaxConnectionsPerServer = 1);

        var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);
        if (readerGivesUp)
        {
            using var giveUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
            await Sending.FailureOf<OperationCanceledException>(response.Content.ReadAsStringAsync(giveUp.Token));
        }

        response.Dispose();
        givenUp.SetResult();

        for (int call = 0; call < 10; call++)
        {
            using var next = await client.Client.SendAsync(Mode.Async, Sending.Get());
            next.ShouldHaveSucceeded(attempts: 1);
            (await next.TextAsync()).ShouldBe("ok");
        }
    }

    [Fact]
    public async Task A_reader_that_abandons_an_error_body_releases_its_connection()
    {
        await using var server = new RawServer(Raw.AnswerAndStall(Head + "Content-Length: 20\r\n\r\nthe begin"), Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri, sockets: s => s.MaxConnectionsPerServer = 1);

        // Not disposed on purpose; a bare client tolerates that.
        var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        await Sending.FailureOf<OperationCanceledException>(response.Content.ReadAsStringAsync(giveUp.Token));
        using var next = await client.Client.SendAsync(Mode.Async, Sending.Get());

        next.ShouldHaveSucceeded(attempts: 1);
    }

    [Fact]
    public async Task A_stalled_error_body_costs_its_http2_stream_and_not_the_connection()
    {
        await using var server = await KestrelServer.StartHttp2Async(Reply.Stall(400, "the begin"), Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        for (int call = 0; call < 2; call++)
        {
            var request = new HttpRequestMessage(HttpMethod.Get,
                "/")
            { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await client.Client.SendAsync(Mode.Async, request, HttpCompletionOption.ResponseHeadersRead);
            response.StatusCode.ShouldBe(call == 0 ? HttpStatusCode.BadRequest : HttpStatusCode.OK);
        }

        client.Log.Calls[0]["ErrorBody"].ShouldBe("the begin");
        server.Connections.ShouldBe(1);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_discarded_response_with_a_stalled_body_releases_its_connection(Mode mode)
    {
        await using var server = new RawServer(Raw.AnswerAndStall("HTTP/1.1 503 Busy\r\nContent-Length: 20\r\n\r\nthe begin"), Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri, sockets: s => s.MaxConnectionsPerServer = 1);

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        response.ShouldHaveSucceeded(attempts: 2);
    }
}
