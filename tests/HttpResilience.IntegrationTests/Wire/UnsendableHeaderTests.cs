using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Wire;

/// <summary>A header field that is not ASCII is an error of the caller, which the platform reports before it sends anything.</summary>
public sealed class UnsendableHeaderTests
{
    [Theory]
    [InlineData(Mode.Async, "request", false), InlineData(Mode.Sync, "request", false), InlineData(Mode.Async, "content", false)]
    [InlineData(Mode.Async, "handler inside", false), InlineData(Mode.Sync, "handler inside", false)]
    [InlineData(Mode.Async, "request", true), InlineData(Mode.Async, "default", false), InlineData(Mode.Async, "request", false, true)]
    public async Task A_header_that_is_not_ascii_is_permanent_and_neutral(Mode mode, string place, bool hedged, bool overHttp2 = false)
    {
        await using var server = overHttp2 ? await KestrelServer.StartHttp2Async(Reply.Ok()) : await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            server.Uri,
            o =>
            {
                o.CircuitBreaker.UseClassic().FailureThreshold = 1;
                o.Hedging.Enabled = hedged;
            },
            build: b =>
            {
                if (place is "handler inside")
                    b.AddAttemptHandler(r => r.Headers.TryAddWithoutValidation("X-Customer", "Müller"));
                if (place is "default")
                    b.ConfigureHttpClient(c => c.DefaultRequestHeaders.TryAddWithoutValidation("X-Customer", "Müller"));
            });

        for (int i = 0; i < 2; i++)
        {
            var request = Sending.Post();
            if (overHttp2)
                (request.Version, request.VersionPolicy) = (new(2, 0), HttpVersionPolicy.RequestVersionExact);
            if (place is "request")
                request.Headers.TryAddWithoutValidation("X-Customer", "Müller");
            if (place is "content")
                request.Content!.Headers.TryAddWithoutValidation("Content-Disposition", "attachment; filename=Müller.pdf");

            var exception = await client.Client.FailAsync<HttpRequestException>(mode, request);

            exception.GetHttpCall().ShouldHaveEnded(attempts: 1, FailureClass.Permanent, StopReason.NotRetryable);
            exception.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeFalse();
        }

        client.Get<ICircuits>().List().ShouldAllBe(c => c.State == CircuitState.Closed);
        server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_header_that_the_primary_handler_can_encode_is_sent()
    {
        await using var server = new RawServer(Raw.Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        await using var client = new ResilientClientUnderTest(
            server.Uri, sockets: s => s.RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.Latin1);
        var request = Sending.Get();
        request.Headers.TryAddWithoutValidation("X-Customer", "Müller");

        using var response = await client.Client.SendAsync(Mode.Async, request);

        response.ShouldHaveSucceeded(attempts: 1);
    }
}
