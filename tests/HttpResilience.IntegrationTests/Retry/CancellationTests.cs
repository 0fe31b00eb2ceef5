using System.Net;

namespace HttpResilience.IntegrationTests;

/// <summary>
/// A cancelled call ends immediately with the caller's token in every phase; nothing is sent again, and the client stays usable.
/// </summary>
public sealed class CancellationTests : IDisposable
{
    private readonly CancellationTokenSource _caller = new();

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_cancelled_call_ends_before_anything_is_sent(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);
        await _caller.CancelAsync();

        await ShouldBeLetGo(client, mode, Sending.Post());

        server.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_cancelled_call_ends_while_it_connects()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        bool first = true;
        await using var client = new ResilientClientUnderTest(server.Uri,
            sockets: sockets => sockets.ConnectCallback = async (context, cancellationToken) =>
            {
                if (first)
                {
                    first = false;
                    await _caller.CancelAsync();
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                }

                return await Connecting.ConnectAsync(context, cancellationToken);
            });

        await ShouldBeLetGo(client, Mode.Async, Sending.Post());
        await ShouldWorkOn(client);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_cancelled_call_ends_while_its_request_body_is_sent(Mode mode)
    {
        await using var server = new RawServer(
            async connection =>
            {
                await _caller.CancelAsync();
                await Task.Delay(Timeout.Infinite, connection.Stopped);
            },
            Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri);

        // More than the buffers of both sockets hold.
        await ShouldBeLetGo(
            client, mode, new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent(new byte[32 * 1024 * 1024]) });
        await ShouldWorkOn(client);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_cancelled_call_ends_while_the_server_works(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(
            async context =>
            {
                await Reply.ReadAsync(context);
                await _caller.CancelAsync();
                await Reply.Silence(context);
            },
            Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        await ShouldBeLetGo(client, mode, Sending.Post());
        await ShouldWorkOn(client);
        server.Count.ShouldBe(2);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_cancelled_call_ends_while_it_waits_for_the_next_attempt(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, options => options.Retry.Delay = TimeSpan.FromSeconds(60));
        client.Log.Logged += line =>
        {
            if (line.EventId == 201)
                _caller.CancelAfter(20);
        };

        await ShouldBeLetGo(client, mode, Sending.Post());
        await ShouldWorkOn(client);
        server.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(Mode.Async, true), InlineData(Mode.Sync, true)]
    [InlineData(Mode.Async, false), InlineData(Mode.Sync, false)]
    public async Task A_cancelled_call_ends_while_it_reads_the_response_body(Mode mode, bool partOfTheAttempt)
    {
        await using var server = await KestrelServer.StartAsync(
            async context =>
            {
                await Reply.ReadAsync(context);
                context.Response.ContentLength = 100;
                await context.Response.Body.FlushAsync(context.RequestAborted);
                _caller.CancelAfter(20);
                await Reply.Silence(context);
            },
            Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, options => options.Retry.IncludeResponseBody = partOfTheAttempt);

        if (partOfTheAttempt)
            await ShouldBeLetGo(client, mode, Sending.Post());
        else
            (await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Post(), caller: _caller.Token)).CancellationToken
                .ShouldBe(_caller.Token);
        await ShouldWorkOn(client);
        server.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_call_ends_with_CancelPendingRequests_of_its_client()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable);
        await using var client = new ResilientClientUnderTest(server.Uri, options => options.Retry.Delay = TimeSpan.FromSeconds(60));
        client.Log.Logged += line =>
        {
            if (line.EventId == 201)
                client.Client.CancelPendingRequests();
        };

        var exception = await client.Client.FailAsync<TaskCanceledException>(Mode.Async, Sending.Post());

        exception.GetHttpCall().ShouldNotBeNull().StopReason.ShouldBe(StopReason.Cancelled);
        server.Count.ShouldBe(1);
    }

    public void Dispose() => _caller.Dispose();

    private async Task ShouldBeLetGo(ResilientClientUnderTest client, Mode mode, HttpRequestMessage request)
    {
        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, request, caller: _caller.Token);

        exception.CancellationToken.ShouldBe(_caller.Token);
        exception.InnerException.ShouldNotBeOfType<TimeoutException>();
        exception.GetHttpCall()?.StopReason.ShouldBe(StopReason.Cancelled);
        exception.GetHttpCall()?.FailureClass.ShouldBe(FailureClass.Cancelled);
    }

    private static async Task ShouldWorkOn(ResilientClientUnderTest client)
    {
        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.ShouldHaveSucceeded(attempts: 1);
    }
}
