using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>
/// Response bodies that break off, stall or are too long: no call hangs, and only a body read by the chain causes a retry.
/// </summary>
public sealed class ResponseBodyTests
{
    private static readonly Dictionary<string, Func<RawConnection, Task>> Cuts = new()
    {
        ["closed before the length is reached"] = Raw.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"),
        ["closed within a chunk"] = Raw.AnswerAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n0123456789"),
        ["closed between chunks"] = Raw.AnswerAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"),
        ["a chunk that is none"] = Raw.AnswerAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0123456789"),
    };

    public static TheoryData<string, Mode> All => [.. Cuts.Keys.SelectMany(c => new[] { (c, Mode.Async), (c, Mode.Sync) })];

    [Theory, MemberData(nameof(All))]
    public async Task A_request_is_sent_again_when_the_response_body_is_part_of_the_attempt_and_breaks_off(string cut, Mode mode)
    {
        await using var server = new RawServer(Cuts[cut], Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri, options => options.Retry.IncludeResponseBody = true);

        using var response = await client.Client.SendAsync(mode, Sending.Post());

        response.ShouldHaveSucceeded(attempts: 2);
        (await response.TextAsync()).ShouldBe("ok");
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_post_without_a_key_is_not_sent_again_when_the_response_body_breaks_off(string cut, Mode mode)
    {
        await using var server = new RawServer(Cuts[cut], Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.Retry.IncludeResponseBody = true;
            options.Idempotency.Enabled = false;
        });

        var exception = await client.Client.FailAsync<HttpRequestException>(mode, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.UnsafeMethod);
        server.Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_response_body_read_after_the_chain_does_not_cost_an_attempt(string cut, Mode mode)
    {
        await using var server = new RawServer(Cuts[cut], Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri);

        await client.Client.FailAsync<HttpRequestException>(mode, Sending.Get());

        server.Count.ShouldBe(1);
        client.Log.Calls.ShouldHaveSingleItem()["StopReason"].ShouldBe("Succeeded");
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_streamed_body_that_breaks_off_throws_at_its_reader(string cut, Mode mode)
    {
        await using var server = new RawServer(Cuts[cut], Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(mode, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);

        response.ShouldHaveSucceeded(attempts: 1);
        await Should.ThrowAsync<HttpRequestException>(response.TextAsync());
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_stalled_response_body_costs_an_attempt_when_it_is_part_of_the_attempt(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Stall(200, "begin", length: 100), Reply.Ok("whole"));
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.Retry.IncludeResponseBody = true;
            options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(300);
        });

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        (await response.TextAsync()).ShouldBe("whole");
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        response.GetHttpCall()!.Attempts[0].FailureClass.ShouldBe(FailureClass.Transient);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_stalled_response_body_does_not_hang_the_call(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Stall(200, "begin", length: 100), Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            server.Uri, options => options.TotalRequestTimeout.Timeout = TimeSpan.FromMilliseconds(200));

        var exception = await client.Client.FailAsync<TaskCanceledException>(mode, Sending.Get());

        exception.InnerException.ShouldBeOfType<TimeoutException>();
        using var next = await client.Client.SendAsync(mode, Sending.Get());
        next.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_stalled_streamed_body_ends_when_its_reader_cancels()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Stall(200, "begin", length: 100));
        await using var client = new ResilientClientUnderTest(server.Uri);
        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        var exception = await Sending.FailureOf<OperationCanceledException>(
            response.Content.ReadAsStringAsync(giveUp.Token).WaitAsync(
                ResilientClientUnderTest.Hang, TestContext.Current.CancellationToken));

        exception.CancellationToken.ShouldBe(giveUp.Token);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_response_body_beyond_the_buffer_limit_of_the_client_ends_the_call(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Bytes(200, 2000, chunked: true));
        await using var client = new ResilientClientUnderTest(
            server.Uri,
            options => options.Retry.IncludeResponseBody = true,
            build: b => b.ConfigureHttpClient(c => c.MaxResponseContentBufferSize = 1000));

        var exception = await client.Client.FailAsync<HttpRequestException>(mode, Sending.Get());

        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Permanent, StopReason.NotRetryable);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task The_status_of_a_failure_counts_even_when_its_body_breaks_off(Mode mode)
    {
        await using var server = new RawServer(
            Raw.AnswerAndClose("HTTP/1.1 429 Too Many Requests\r\nretry-after-ms: 400\r\nContent-Length: 100\r\n\r\nslow down"), Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.Retry.IncludeResponseBody = true;
            options.Idempotency.Enabled = false;
        });

        long start = Stopwatch.GetTimestamp();
        using var response = await client.Client.SendAsync(mode, Sending.Post());

        response.ShouldHaveSucceeded(attempts: 2);
        response.GetHttpCall()!.Attempts[0].FailureClass.ShouldBe(FailureClass.RateLimited);
        Stopwatch.GetElapsedTime(start).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(400));
    }
}
