using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HttpResilience.IntegrationTests;

/// <summary>How a fault server listens, goes down and restarts.</summary>
public sealed class FaultServerConnectionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_is_down_refuses_and_comes_back_on_the_same_port_with_the_same_script()
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(201).Status(202), cancellationToken: Token);
        using var client = Client(server.Uri);
        (await client.GetAsync("", Token)).StatusCode.ShouldBe(HttpStatusCode.Created);

        await server.GoDownAsync();
        await server.GoDownAsync();
        var refused = await Sending.FailureOf<HttpRequestException>(client.GetAsync("", Token));
        await server.ComeBackAsync(Token);
        await server.ComeBackAsync(Token);

        refused.InnerException.ShouldBeOfType<SocketException>().SocketErrorCode.ShouldBe(SocketError.ConnectionRefused);
        (await client.GetAsync("", Token)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_server_that_goes_down_cuts_requests_in_flight()
    {
        var arrived = new TaskCompletionSource();
        var script = new FaultScript().Decide(_ =>
        {
            arrived.SetResult();
            return Outcome.NeverAnswers();
        });
        await using var server = await FaultServer.StartAsync(script, cancellationToken: Token);
        using var client = Client(server.Uri);
        var sending = client.GetAsync("", Token);
        await arrived.Task.WaitAsync(ResilientClientUnderTest.Hang, Token);

        await server.GoDownAsync().WaitAsync(ResilientClientUnderTest.Hang, Token);

        await Sending.FailureOf<HttpRequestException>(sending.WaitAsync(ResilientClientUnderTest.Hang, Token));
        server.OpenConnections.ShouldBe(0);
    }

    [Theory, InlineData(false, 3), InlineData(true, 1)]
    public async Task Connections_serve_one_request_each_unless_they_are_kept(bool keeps, int connections)
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(200, "ok"), new() { KeepsConnections = keeps }, Token);
        using var client = Client(server.Uri);

        for (int i = 0; i < 3; i++)
            (await client.GetStringAsync("", Token)).ShouldBe("ok");

        server.Connections.ShouldBe(connections);
    }

    [Fact]
    public async Task Each_attempt_of_a_get_is_one_outcome_despite_the_platforms_own_retry()
    {
        var script = new FaultScript().Status(200);
        for (int i = 0; i < 5; i++)
            script.Reset().Status(200);
        await using var server = await FaultServer.StartAsync(script, cancellationToken: Token);
        using var client = Client(server.Uri);

        await client.GetStringAsync("", Token);
        for (int i = 0; i < 5; i++)
        {
            await Sending.FailureOf<HttpRequestException>(client.GetAsync("", Token));
            (await client.GetAsync("", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        server.RequestCount.ShouldBe(11);
    }

    [Fact]
    public async Task A_server_listens_on_the_given_port_and_throws_when_it_is_taken()
    {
        int port = Ports.Closed();
        await using var server = await FaultServer.StartAsync(new FaultScript(), new() { Port = port }, Token);

        server.Uri.ShouldBe(new Uri($"http://127.0.0.1:{port}/"));
        await Should.ThrowAsync<IOException>(() => FaultServer.StartAsync(new FaultScript(), new() { Port = port }, Token));
        using var client = Client(server.Uri);
        (await client.GetAsync("", Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_server_supports_https()
    {
        using var certificate = Certificates.SelfSigned();
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(200, "ok").HalfHead(), new() { Certificate = certificate }, Token);
        using var client = Client(server.Uri, certificate);

        server.Uri.Scheme.ShouldBe("https");
        (await client.GetStringAsync("x", Token)).ShouldBe("ok");
        server.Requests[0].Uri.ShouldBe(new Uri(server.Uri, "x"));
        (await client.GetAsync("", Token)).StatusCode.ShouldBe(HttpStatusCode.InternalServerError, "halves are for plain HTTP/1.1");
    }

    [Fact]
    public async Task A_server_supports_http2()
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(200, "ok", null, ("X-A", "1")).Reset().StalledBody(200).Status(204),
            new() { Protocols = HttpProtocols.Http2 }, Token);
        using var client = Client(server.Uri);
        client.DefaultRequestVersion = HttpVersion.Version20;
        client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;

        using var response = await client.GetAsync("", Token);
        response.Version.ShouldBe(HttpVersion.Version20);
        response.Headers.GetValues("X-A").ShouldBe(["1"]);
        await Sending.FailureOf<HttpRequestException>(client.GetAsync("", Token));
        using (var stalled = await client.GetAsync("", HttpCompletionOption.ResponseHeadersRead, Token))
            stalled.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync("", Token)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    private static HttpClient Client(Uri address, X509Certificate2? trusted = null)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (trusted is not null)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => trusted.Equals(certificate);
        return new(handler) { BaseAddress = address };
    }
}
