using System.Net;

namespace HttpResilience.IntegrationTests;

/// <summary>A proxy that refuses the connection: the server has received nothing.</summary>
public sealed class ProxyTests
{
    [Theory]
    [InlineData("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")]
    public async Task Post_without_a_key_is_sent_again_when_the_proxy_does_not_connect(string answer)
    {
        await using var proxy = new RawServer(Raw.AnswerAndClose(answer));
        await using var client = Behind(new Uri($"http://127.0.0.1:{proxy.Port}"));

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Post());

        exception.GetHttpCall()!.StopReason.ShouldBe(StopReason.AttemptsExhausted);
        exception.GetHttpCall()!.Attempts.Count.ShouldBe(3);
        proxy.Requests.ShouldAllBe(r => r.Method == "CONNECT");
    }

    [Fact]
    public async Task Post_without_a_key_is_sent_again_when_there_is_no_proxy()
    {
        await using var client = Behind(new Uri($"http://127.0.0.1:{Ports.Closed()}"));

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(3, FailureClass.Transient, StopReason.AttemptsExhausted);
    }

    [Theory]
    [InlineData("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", FailureClass.Authentication)]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", FailureClass.Authorization)]
    public async Task A_request_that_the_proxy_refuses_is_not_sent_again(string answer, FailureClass failureClass)
    {
        await using var proxy = new RawServer(Raw.AnswerAndClose(answer));
        await using var client = Behind(new Uri($"http://127.0.0.1:{proxy.Port}"));

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Get());

        exception.GetHttpCall().ShouldHaveEnded(1, failureClass, StopReason.NotRetryable);
    }

    private static ResilientClientUnderTest Behind(Uri proxy) => new(
        new Uri("https://api.example.invalid/"),
        options =>
        {
            options.Idempotency.Enabled = false;
            options.Retry.MaxRetryAttempts = 2;
        },
        sockets => (sockets.UseProxy, sockets.Proxy) = (true, new WebProxy(proxy)));
}
