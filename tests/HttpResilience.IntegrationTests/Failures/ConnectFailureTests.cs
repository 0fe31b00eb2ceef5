using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>A request that was not sent is retried with any method; a local configuration error is not.</summary>
public sealed class ConnectFailureTests
{
    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Post_without_a_key_is_sent_again_when_the_port_is_closed(Mode mode)
    {
        await using var client = Unkeyed(new Uri($"http://127.0.0.1:{Ports.Closed()}/"));

        var exception = await client.Client.FailAsync<HttpRequestException>(mode, Sending.Post());

        exception.HttpRequestError.ShouldBe(HttpRequestError.ConnectionError);
        exception.GetHttpCall().ShouldHaveEnded(3, FailureClass.Transient, StopReason.AttemptsExhausted);
        exception.GetHttpCall()!.IdempotencyKey.ShouldBeNull();
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Post_without_a_key_succeeds_when_the_server_starts_between_attempts(Mode mode)
    {
        int port = Ports.Closed();
        var server = new StartsAtAttempt(2, port);
        await using var client = Unkeyed(new Uri($"http://127.0.0.1:{port}/"), build: b => b.AddHttpMessageHandler(() => server));

        using var response = await client.Client.SendAsync(mode, Sending.Post());

        response.ShouldHaveSucceeded(attempts: 2);
        await server.StopAsync();
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Post_without_a_key_is_sent_again_when_the_name_of_the_host_is_unknown(Mode mode)
    {
        await using var client = Unkeyed(new Uri("http://nobody.invalid/"));

        var exception = await client.Client.FailAsync<HttpRequestException>(mode, Sending.Post());

        exception.HttpRequestError.ShouldBe(HttpRequestError.NameResolutionError);
        exception.GetHttpCall().ShouldHaveEnded(3, FailureClass.Transient, StopReason.AttemptsExhausted);
    }

    [Theory]
    [InlineData(Mode.Async, "This is not TLS, whatever the client may think of it.\r\n")]
    [InlineData(Mode.Sync, "This is not TLS, whatever the client may think of it.\r\n")]
    [InlineData(Mode.Async, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")]
    [InlineData(Mode.Async, "")]
    [InlineData(Mode.Async, "\u0015\u0003\u0003\u0000\u0002\u0002\u0028")] // TLS alert 40, handshake_failure
    public async Task Post_without_a_key_is_sent_again_when_the_tls_handshake_fails(Mode mode, string answer)
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.SendAsync(answer);
            connection.Close();
        });
        await using var client = Unkeyed(new Uri($"https://127.0.0.1:{server.Port}/"));

        var exception = await client.Client.FailAsync<HttpRequestException>(mode, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(3, FailureClass.Transient, StopReason.AttemptsExhausted);
        exception.HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
    }

    [Fact]
    public async Task Post_without_a_key_is_sent_again_when_the_server_resets_the_tls_handshake()
    {
        await using var server = new RawServer(Raw.ResetUnread);
        await using var client = Unkeyed(new Uri($"https://127.0.0.1:{server.Port}/"));

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(3, FailureClass.Transient, StopReason.AttemptsExhausted);
    }

    [Theory]
    [InlineData(Mode.Async, false)]
    [InlineData(Mode.Sync, false)]
    [InlineData(Mode.Async, true)]
    public async Task An_untrusted_certificate_ends_the_call_and_does_not_count_for_the_circuit(Mode mode, bool rejectedByCode)
    {
        using var certificate = Certificates.SelfSigned();
        await using var server = await KestrelServer.StartAsync(HttpProtocols.Http1, certificate, 0, [Reply.Ok()]);
        await using var client = new ResilientClientUnderTest(
            server.Uri,
            options => options.CircuitBreaker.UseClassic().FailureThreshold = 1,
            sockets => sockets.SslOptions.RemoteCertificateValidationCallback =
                rejectedByCode ? (_, _, _, errors) => errors is SslPolicyErrors.None : null);

        for (int call = 0; call < 2; call++)
        {
            var exception = await client.Client.FailAsync<HttpRequestException>(mode, Sending.Get());

            exception.InnerException.ShouldBeOfType<AuthenticationException>();
            exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Permanent, StopReason.NotRetryable);
        }

        server.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_trusted_certificate_is_accepted()
    {
        using var certificate = Certificates.SelfSigned();
        await using var server = await KestrelServer.StartAsync(HttpProtocols.Http1, certificate, 0, [Reply.Unavailable, Reply.Ok()]);
        await using var client = new ResilientClientUnderTest(
            server.Uri,
            sockets: sockets => sockets.SslOptions.RemoteCertificateValidationCallback = (_, given, _, _) => certificate.Equals(given));

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());

        response.ShouldHaveSucceeded(attempts: 2);
    }

    private static ResilientClientUnderTest Unkeyed(Uri uri, Action<IHttpClientBuilder>? build = null) => new(
        uri,
        options =>
        {
            options.Idempotency.Enabled = false;
            options.Retry.MaxRetryAttempts = 2;
        },
        build: build);

    /// <summary>Starts a server after the given number of attempts.</summary>
    private sealed class StartsAtAttempt(int attempt, int port) : DelegatingHandler
    {
        private KestrelServer? _server;
        private int _attempts;

        internal ValueTask StopAsync() => _server!.DisposeAsync();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await ComeByAsync();
            return await base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            ComeByAsync().GetAwaiter().GetResult();
            return base.Send(request, cancellationToken);
        }

        private async Task ComeByAsync()
        {
            if (++_attempts == attempt)
                _server = await KestrelServer.StartAsync(HttpProtocols.Http1, null, port, [Reply.Ok()]);
        }
    }
}
