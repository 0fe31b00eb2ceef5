namespace HttpResilience.IntegrationTests;

/// <summary>
/// Errors of the request itself, which the platform wraps in the exceptions of broken connections, and answers that are too long.
/// </summary>
public sealed class WrongRequestTests
{
    [Theory]
    [InlineData("chunked without a content", false)]
    [InlineData("a content that throws", false)]
    [InlineData("a content shorter than its length", true)]
    [InlineData("a content longer than its length", true)]
    public async Task An_error_of_the_request_is_not_repeated_and_does_not_count_against_the_host(string error, bool mayHaveBeenProcessed)
    {
        await using var server = new RawServer(Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri, o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);

        for (int i = 0; i < 2; i++)
        {
            var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Request(error));

            exception.GetHttpCall().ShouldHaveEnded(attempts: 1, FailureClass.Permanent, StopReason.NotRetryable);
            exception.GetHttpCall()!.MayHaveBeenProcessed.ShouldBe(mayHaveBeenProcessed);
        }

        client.Get<ICircuits>().List().ShouldAllBe(c => c.State == CircuitState.Closed);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_post_whose_answer_is_too_long_may_have_been_processed(Mode mode)
    {
        await using var server = new RawServer(Raw.AnswerAndClose($"HTTP/1.1 201 Created\r\nX-Long: {new string('a', 100_000)}\r\n\r\n"));
        await using var client = new ResilientClientUnderTest(server.Uri);

        var exception = await client.Client.FailAsync<HttpRequestException>(mode, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(attempts: 1, FailureClass.Permanent, StopReason.NotRetryable);
        exception.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeTrue();
    }

    private static HttpRequestMessage Request(string error)
    {
        var request = error is "chunked without a content" ? Sending.Get() : Sending.Post();
        if (request.Content is null)
            request.Headers.TransferEncodingChunked = true;
        else if (error is "a content that throws")
            request.Content = new FaultyContent();
        else
            request.Content.Headers.ContentLength = error.Contains("shorter") ? 50 : 2;
        return request;
    }

    private sealed class FaultyContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            throw new InvalidOperationException("An invoice without a number.");

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
