using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HttpResilience.IntegrationTests;

/// <summary>Request records, time and connections of a server; <see cref="ScriptAndServerTests"/> compares the outcomes.</summary>
public sealed class FaultServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_records_its_requests()
    {
        var clock = new ManualTimeProvider();
        var script = new FaultScript(clock).Status(503).Status(201);
        clock.Advance(TimeSpan.FromSeconds(2));
        await using var server = await FaultServer.StartAsync(script, cancellationToken: Token);
        using var client = Client(server.Uri);
        using var request = new HttpRequestMessage(
            HttpMethod.Patch, "invoices/a%2Fb?c=%20d")
        { Content = new ByteArrayContent([1, 2, 255]) };
        request.Headers.Add("Idempotency-Key", "key-1");
        request.Headers.Add("X-Two", ["1", "2"]);

        using var failure = await client.SendAsync(request, Token);
        using var success = await client.GetAsync("", Token);

        failure.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        success.StatusCode.ShouldBe(HttpStatusCode.Created);
        server.Requests.Count.ShouldBe(2);
        script.Requests.ShouldBe(server.Requests);
        var sent = server.Requests[0];
        sent.Method.ShouldBe(HttpMethod.Patch);
        sent.Uri.AbsoluteUri.ShouldBe($"{server.Uri}invoices/a%2Fb?c=%20d");
        sent.Body.ToArray().ShouldBe([1, 2, 255]);
        sent.IdempotencyKey.ShouldBe("key-1");
        sent.Headers["x-two"].ShouldBe("1, 2");
        sent.Headers["Content-Length"].ShouldBe("3");
        sent.SentAt.ShouldBe(ManualTimeProvider.DefaultStart.AddSeconds(2));
        sent.SentAfter.ShouldBe(TimeSpan.FromSeconds(2));
        sent.Call.ShouldBeNull();
        script.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_without_an_answer_stays_open_until_the_client_gives_up()
    {
        var read = new TaskCompletionSource<string>();
        var script = new FaultScript().Decide(r =>
        {
            read.SetResult(r.Text);
            return Outcome.NeverAnswers();
        }).Status(200);
        await using var server = await FaultServer.StartAsync(script, cancellationToken: Token);
        using var client = Client(server.Uri);
        using var caller = new CancellationTokenSource();
        var sending = client.PostAsync("", new StringContent("the body"), caller.Token);
        (await read.Task.WaitAsync(ResilientClientUnderTest.Hang, Token)).ShouldBe("the body");
        sending.IsCompleted.ShouldBeFalse();

        await caller.CancelAsync();

        (await Sending.FailureOf<TaskCanceledException>(sending)).CancellationToken.ShouldBe(caller.Token);
        (await client.GetAsync("", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_stalled_body_begins_and_does_not_continue()
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().StalledBody(202, "the begin"), cancellationToken: Token);
        using var client = Client(server.Uri);
        using var response = await client.GetAsync("", HttpCompletionOption.ResponseHeadersRead, Token);
        var body = await response.Content.ReadAsStreamAsync(Token);
        byte[] begin = new byte[9];
        await body.ReadExactlyAsync(begin, Token);
        using var reader = new CancellationTokenSource();
        var reading = body.ReadAsync(begin, reader.Token).AsTask();

        reading.IsCompleted.ShouldBeFalse();
        await reader.CancelAsync();

        await Sending.FailureOf<OperationCanceledException>(reading);
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        Encoding.UTF8.GetString(begin).ShouldBe("the begin");
    }

    [Fact]
    public async Task A_delayed_answer_follows_the_clock_of_the_script()
    {
        var clock = new ManualTimeProvider();
        await using var server = await FaultServer.StartAsync(
            new FaultScript(clock).Status(201).Delayed(TimeSpan.FromHours(5)), cancellationToken: Token);
        using var client = Client(server.Uri);
        var sending = client.GetAsync("", Token);

        clock.Advance(await clock.UntilSomebodyWaitsAsync());

        (await sending.WaitAsync(ResilientClientUnderTest.Hang, Token)).StatusCode.ShouldBe(HttpStatusCode.Created);
        clock.Elapsed.ShouldBe(TimeSpan.FromHours(5));
    }

    [Fact]
    public async Task A_request_processed_before_a_reset_is_recorded_by_the_server()
    {
        int processed = 0;
        var script = new FaultScript()
            .Decide(_ =>
            {
                processed++;
                return Outcome.Reset();
            })
            .Decide(r => Outcome.Status(200, $"{processed} by {r.IdempotencyKey}"));
        await using var server = await FaultServer.StartAsync(script, cancellationToken: Token);
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(Sending.Post().WithIdempotencyKey("key-1"), Token);

        HttpCallAssert.Attempts(response.GetHttpCall(), null, 200);
        HttpCallAssert.SameKeyOnEveryRequest(server.Requests).ShouldBe("key-1");
        (await response.TextAsync()).ShouldBe("1 by key-1");
    }

    [Fact]
    public async Task An_answer_or_a_reset_can_precede_the_request_body()
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(413).Unread().Reset().Unread().Status(200), cancellationToken: Token);
        using var client =
            new HttpClient(new SocketsHttpHandler { UseProxy = false, Expect100ContinueTimeout = ResilientClientUnderTest.Hang })
            {
                BaseAddress = server.Uri
            };
        // The body is sent only when the server begins to read it.
        client.DefaultRequestHeaders.ExpectContinue = true;

        using var refused = await client.PostAsync("", new StringContent("the body"), Token);
        await Sending.FailureOf<HttpRequestException>(client.PostAsync("", new StringContent("the body"), Token));
        using var read = await client.PostAsync("", new StringContent("the body"), Token);

        refused.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        server.Requests.Select(r => r.Text).ShouldBe(["", "", "the body"]);
    }

    [Fact]
    public async Task A_request_that_breaks_off_is_recorded_in_part()
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(200), cancellationToken: Token);
        using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(IPAddress.Loopback, server.Uri.Port, Token);
            await socket.SendAsync(Encoding.ASCII.GetBytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf of"), Token);
            socket.Shutdown(SocketShutdown.Send);
            await Record.ExceptionAsync(() => socket.ReceiveAsync(new byte[1000], Token).AsTask());
        }

        await server.GoDownAsync();
        "half of".ShouldStartWith(server.Requests.ShouldHaveSingleItem().Text);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2p1\r\n\r\n", RawEnd.Close, "InvalidResponse")]
    [InlineData("HTTP/1.1 200 OK\r\nX-A: \u00e4", RawEnd.Close, "ResponseEnded")]
    [InlineData("HTTP/1.1 200 OK\r\nX-A:", RawEnd.Reset, "Unknown")]
    public async Task Raw_bytes_are_sent_unchanged(string bytes, RawEnd end, string error)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Raw(bytes, end).Raw(
            "HTTP/1.1 299 Raw\r\nX-A: \u00e4\r\nContent-Length: 1\r\n\r\n\u00ff"), cancellationToken: Token);
        using var client = Client(server.Uri);

        (await Sending.FailureOf<HttpRequestException>(client.GetAsync("", Token))).HttpRequestError.ToString().ShouldBe(error);

        using var response = await client.GetAsync("", Token);
        ((int)response.StatusCode).ShouldBe(299);
        response.Headers.NonValidated["X-A"].ToString().ShouldBe("\u00e4");
        (await response.Content.ReadAsByteArrayAsync(Token)).ShouldBe([255]);
        server.RequestCount.ShouldBe(2);
    }

    [Fact]
    public async Task Raw_bytes_can_stall()
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthe", RawEnd.Stall).Raw("HTTP/1.1 2", RawEnd.Stall),
            cancellationToken: Token);
        using var client = Client(server.Uri);
        Task reading;
        using (var response = await client.GetAsync("", HttpCompletionOption.ResponseHeadersRead, Token))
        {
            byte[] begin = new byte[9];
            var body = await response.Content.ReadAsStreamAsync(Token);
            await body.ReadExactlyAsync(begin.AsMemory(0, 3), Token);
            reading = body.ReadAsync(begin, Token).AsTask();
            reading.IsCompleted.ShouldBeFalse();
        }

        using var caller = new CancellationTokenSource();
        var sending = client.GetAsync("", caller.Token);
        sending.IsCompleted.ShouldBeFalse();
        await caller.CancelAsync();

        await Sending.FailureOf<TaskCanceledException>(sending);
        // The connection ends with its server.
        await server.DisposeAsync();
        await Sending.FailureOf<Exception>(reading);
    }

    [Fact]
    public async Task Every_outcome_of_a_server_can_be_played()
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Serve(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            context.Response.StatusCode = 207;
            await context.Response.WriteAsync(await reader.ReadToEndAsync(Token), Token);
        }), cancellationToken: Token);
        using var client = Client(server.Uri);

        using var response = await client.PostAsync("", new StringContent("echo"), Token);

        ((int)response.StatusCode).ShouldBe(207);
        (await response.TextAsync()).ShouldBe("echo");
    }

    [Fact]
    public async Task An_outcome_that_only_a_handler_supports_is_rejected_at_the_start()
    {
        foreach (var script in new[] { new FaultScript().Refused(), new FaultScript()
            .HostNotFound().Unread(), new FaultScript().Throws(() => new TimeoutException()).Delayed(TimeSpan.Zero) })
            (await Should.ThrowAsync<ArgumentException>(() => FaultServer.StartAsync(script, cancellationToken: Token))).Message
                .ShouldContain("GoDownAsync");
    }

    [Fact]
    public async Task A_script_that_throws_answers_500_with_the_message()
    {
        var script = new FaultScript()
            .Decide(_ => Outcome.Refused()).Decide(_ => throw new FormatException("The test is wrong")).Raw("").Status(200);
        await using var server = await FaultServer.StartAsync(script, new() { Protocols = HttpProtocols.Http2 }, Token);
        using var client = Client(server.Uri);
        client.DefaultRequestVersion = HttpVersion.Version20;
        client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;

        (await TextOf500Async()).ShouldContain("GoDownAsync");
        (await TextOf500Async()).ShouldContain("The test is wrong");
        (await TextOf500Async()).ShouldContain("HTTP/1.1 only");

        async Task<string> TextOf500Async()
        {
            using var response = await client.GetAsync("", Token);
            response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
            return await response.TextAsync();
        }
    }

    private static HttpClient Client(Uri address) => new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
}
