using System.Net;
using System.Text;

namespace HttpResilience.IntegrationTests;

/// <summary>Logging the body of a failure does not change the response for the caller.</summary>
public sealed class ErrorBodyTests
{
    private const string Head = "HTTP/1.1 400 Bad Request\r\n";

    [Theory]
    [InlineData(Mode.Async, 1), InlineData(Mode.Sync, 1)]
    [InlineData(Mode.Async, 2047), InlineData(Mode.Async, 2048), InlineData(Mode.Async, 2049)]
    [InlineData(Mode.Async, 300_000), InlineData(Mode.Sync, 300_000)]
    public async Task The_body_of_a_failure_is_complete(Mode mode, int length)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Bytes(400, length), Reply.Bytes(400, length, chunked: true));
        await using var client = new ResilientClientUnderTest(server.Uri);
        byte[] expected = new byte[length];
        Reply.Fill(expected, 0);

        foreach (var completion in new[]
        {
            HttpCompletionOption.ResponseContentRead,
            HttpCompletionOption.ResponseContentRead,
            HttpCompletionOption.ResponseHeadersRead
        })
        {
            using var response = await client.Client.SendAsync(mode, Sending.Get(), completion);
            (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(expected);
        }

        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task The_headers_of_a_failure_are_kept()
    {
        await using var server = new RawServer(Raw.Answer(
            Head + "Content-Type: application/problem+json; charset=utf-8\r\nContent-Language: de\r\nContent-Length: 2\r\n\r\n{}"));
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        response.Content.Headers.ContentType!.ToString().ShouldBe("application/problem+json; charset=utf-8");
        response.Content.Headers.ContentLanguage.ShouldBe(["de"]);
        response.Content.Headers.ContentLength.ShouldBe(2);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_failed_head_response_with_a_content_length_is_accepted(Mode mode)
    {
        await using var server = new RawServer(Raw.Answer(Head + "Content-Length: 100\r\n\r\n"));
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, new HttpRequestMessage(HttpMethod.Head, "/"));

        response.Content.Headers.ContentLength.ShouldBe(100);
        (await response.TextAsync()).ShouldBeEmpty();
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_truncated_error_body_is_logged_in_part_and_throws_for_its_reader(Mode mode)
    {
        await using var server = new RawServer(Raw.AnswerAndClose(Head + "Content-Length: 100\r\n\r\nthe begin"));
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        client.Log.Calls.ShouldHaveSingleItem()["ErrorBody"].ShouldBe("the begin");
        var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        byte[] begin = new byte[9];
        await stream.ReadExactlyAsync(begin, TestContext.Current.CancellationToken);
        Encoding.ASCII.GetString(begin).ShouldBe("the begin");
        await Should.ThrowAsync<HttpIOException>(async () => await stream.ReadExactlyAsync(begin, TestContext.Current.CancellationToken));
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_failure_with_a_body_that_cannot_be_decompressed_is_returned(Mode mode)
    {
        await using var server = new RawServer(Raw.Answer(Head + "Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot zipped.."));
        await using var client = new ResilientClientUnderTest(
            server.Uri, sockets: s => s.AutomaticDecompression = DecompressionMethods.All);

        using var response = await client.Client.SendAsync(mode, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        client.Log.Calls.ShouldHaveSingleItem()["StatusCode"].ShouldBe(400);
    }
}
