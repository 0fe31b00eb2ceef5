using System.Net;

namespace HttpResilience.IntegrationTests;

/// <summary>A connection that breaks after sending is ambiguous: the server may have processed the request.</summary>
public sealed class BrokenResponseTests
{
    private static readonly Dictionary<string, Func<RawConnection, Task>> Faults = new()
    {
        ["reset before reading"] = Raw.ResetUnread,
        ["reset after reading"] = Raw.ResetAfterReading,
        ["closed without an answer"] = Raw.AnswerAndClose(""),
        ["half a status line"] = Raw.AnswerAndClose("HTTP/1.1 20"),
        ["half the headers"] = Raw.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Len"),
        ["half the headers, then a reset"] = async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Len");
            connection.Reset();
        },
        ["not HTTP"] = Raw.AnswerAndClose("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n"),
        ["a status that is no number"] = Raw.AnswerAndClose("HTTP/1.1 OK OK\r\nContent-Length: 0\r\n\r\n"),
        ["control characters for a status"] = Raw.AnswerAndClose("HTTP/1.1 \u0007\u001b[31m\0 OK\r\nContent-Length: 0\r\n\r\n"),
        ["a header without a colon"] = Raw.AnswerAndClose("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"),
        ["a chunked length that is no length"] = Raw.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: many\r\nfoo bar: \0\r\n\r\n"),
    };

    public static TheoryData<string, Mode> All => [.. Faults.Keys.SelectMany(f => new[] { (f, Mode.Async), (f, Mode.Sync) })];

    [Theory, MemberData(nameof(All))]
    public async Task A_get_is_sent_again(string fault, Mode mode)
    {
        await using var server = new RawServer(Faults[fault], Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_keyed_post_is_sent_again_with_its_key(string fault, Mode mode)
    {
        await using var server = new RawServer(Faults[fault], Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Sending.Post().WithIdempotencyKey("invoice-1"));

        response.ShouldHaveSucceeded(attempts: 2);
        response.GetHttpCall()!.Attempts[0].FailureClass.ShouldBe(FailureClass.Transient);
        server.Count.ShouldBe(2);
        server.Requests.ShouldAllBe(r => r.Key == "invoice-1" && r.Text == "the body");
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_post_without_a_key_is_not_sent_again(string fault, Mode mode)
    {
        await using var server = new RawServer(Faults[fault], Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri, options => options.Idempotency.Enabled = false);

        var exception = await client.Client.FailAsync<HttpRequestException>(mode, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.UnsafeMethod);
        server.Count.ShouldBe(1);
        client.Log.Calls.ShouldHaveSingleItem().Text.ShouldNotContain('\u001b');
    }
}
