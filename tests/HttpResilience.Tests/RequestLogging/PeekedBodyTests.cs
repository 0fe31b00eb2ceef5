using System.Net;
using System.Text;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>The log looks at the beginning of a failed response's body; whoever reads the response notices nothing.</summary>
public sealed class PeekedBodyTests
{
    private const int Limit = 32;

    [Theory, CombinatorialBodies]
    public async Task The_caller_still_reads_the_whole_body(
        bool async, bool readAsync, bool seekable, HttpCompletionOption completion, int length)
    {
        using var chain = new Chain(o => o.Logging.ErrorBodyBytes = Limit);
        chain.Clock.SkipsWaits = false;
        byte[] body = [.. Enumerable.Range(0, length).Select(i => (byte)('a' + i % 26))];
        chain.Server.Script(Replies.Content(400, () => seekable ? new ByteArrayContent(body) : new WireStream(body).ToContent()));

        using var response = await chain.SendAsync(async, Chain.Get(), completion: completion);

        byte[] read = readAsync
            ? await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)
            : ReadAll(response.Content.ReadAsStream(TestContext.Current.CancellationToken));
        read.ShouldBe(body);
        chain.Logs.Call["ErrorBody"].ShouldBe(length == 0 ? null : Encoding.UTF8.GetString(body[..Math.Min(length, Limit)]));
    }

    [Theory, InlineData(1), InlineData(5), InlineData(Limit), InlineData(1000)]
    public async Task The_body_can_be_read_in_pieces_of_any_size(int piece)
    {
        using var chain = new Chain(o => o.Logging.ErrorBodyBytes = Limit);
        byte[] body = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];
        chain.Server.Script(Replies.Content(400, () => new WireStream(body).ToContent("application/pdf")));
        using var response = await SendStreamedAsync(chain);
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var read = new List<byte>();
        byte[] buffer = new byte[piece];

        for (int count; (count = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0;)
            read.AddRange(buffer[..count]);

        read.ShouldBe(body);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/pdf");
    }

    [Fact]
    public async Task The_headers_of_the_body_stay()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Content(400, () =>
        {
            var content = new WireStream([1, 2, 3]).ToContent();
            content.Headers.ContentLength = 3;
            content.Headers.ContentLanguage.Add("de");
            content.Headers.TryAddWithoutValidation("X-Odd", "\u00fc");
            return content;
        }));

        using var response = await SendStreamedAsync(chain);

        response.Content.Headers.NonValidated.Select(h => (h.Key, h.Value.ToString())).ShouldBe(
            [("Content-Type", "text/plain"), ("Content-Length", "3"), ("Content-Language", "de"), ("X-Odd", "\u00fc")], ignoreOrder: true);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_stalls_does_not_hang_the_call_and_comes_whole_later(bool async)
    {
        using var chain = new Chain();
        var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var body = new WireStream("the beginning"u8.ToArray(), stallsUntil: more.Task);

        using var response = await StallAsync(chain, body, async);

        ((int)response.StatusCode).ShouldBe(400);
        chain.Logs.Call["ErrorBody"].ShouldBe("the beginning");
        more.SetResult();
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("the beginning");
    }

    [Fact]
    public async Task A_reader_may_give_up_a_body_that_stalls()
    {
        using var chain = new Chain();
        var body = new WireStream("the beginning"u8.ToArray(), stallsUntil: new TaskCompletionSource().Task);
        using var response = await StallAsync(chain, body);
        using var reader = new CancellationTokenSource();

        var reading = response.Content.ReadAsStringAsync(reader.Token);
        await reader.CancelAsync();

        (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading)).CancellationToken.ShouldBe(reader.Token);
        body.IsCancelled.ShouldBeTrue();
    }

    [Fact]
    public async Task A_body_that_stalls_is_let_go_with_its_response()
    {
        using var chain = new Chain();
        var body = new WireStream("the beginning"u8.ToArray(), stallsUntil: new TaskCompletionSource().Task);

        (await StallAsync(chain, body)).Dispose();

        (body.IsCancelled, body.IsDisposed).ShouldBe((true, true));
    }

    public static TheoryData<Exception> Breaks =>
        [new IOException("reset"), new HttpIOException(HttpRequestError.ResponseEnded, "ended"),
            new InvalidDataException("not gzip"), new InvalidOperationException("not brotli")];

    [Theory, MemberData(nameof(Breaks))]
    public async Task A_body_that_breaks_off_is_a_response_all_the_same_and_breaks_where_it_is_read(Exception exception)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Content(400, () => new WireStream("the beginning"u8.ToArray(), exception).ToContent()));

        using var response = await SendStreamedAsync(chain);

        chain.Logs.Call["ErrorBody"].ShouldBe("the beginning");
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        byte[] buffer = new byte[13];
        await stream.ReadExactlyAsync(buffer, TestContext.Current.CancellationToken);
        (await Assert.ThrowsAnyAsync<Exception>(() => stream.ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask()))
            .ShouldBeSameAs(exception);
    }

    [Fact]
    public async Task A_content_that_cannot_be_read_is_left_to_its_reader()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Content(400, () => new UnreadableContent()));

        using var response = await SendStreamedAsync(chain);

        response.Content.ShouldBeOfType<UnreadableContent>();
        chain.Logs.Call["StatusCode"].ShouldBe(400);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_content_that_is_written_by_code_and_stalls_does_not_hang_the_call(bool async)
    {
        using var chain = new Chain();
        var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        chain.Server.Script(Replies.Content(400, () => new WrittenContent(more.Task)));

        using var response = await StallAsync(chain, SendStreamedAsync(chain, async));

        chain.Logs.Call["StatusCode"].ShouldBe(400);
        more.SetResult();
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("written");
    }

    private static Task<HttpResponseMessage> SendStreamedAsync(Chain chain, bool async = true)
    {
        chain.Clock.SkipsWaits = false;
        return chain.SendAsync(async, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);
    }

    private static async Task<HttpResponseMessage> StallAsync(Chain chain, WireStream body, bool async = true)
    {
        chain.Server.Script(Replies.Content(400, () => body.ToContent()));
        var sending = SendStreamedAsync(chain, async);
        await body.Stalled;
        return await StallAsync(chain, sending);
    }

    /// <summary>Time passes until the log does not wait for the body any longer.</summary>
    private static async Task<HttpResponseMessage> StallAsync(Chain chain, Task<HttpResponseMessage> sending)
    {
        await chain.Clock.TimerDueInAsync(TimeSpan.FromMilliseconds(250));
        sending.IsCompleted.ShouldBeFalse();
        chain.Clock.Advance(TimeSpan.FromMilliseconds(250));
        return await sending;
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var all = new MemoryStream();
        stream.CopyTo(all);
        return all.ToArray();
    }

    private sealed class UnreadableContent : HttpContent
    {
        protected override Task<Stream> CreateContentReadStreamAsync() =>
            throw new InvalidOperationException("The stream was already consumed.");

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

        protected override bool TryComputeLength(out long length) => (length = 0) != 0;
    }

    private sealed class WrittenContent(Task stallsUntil) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stallsUntil;
            await stream.WriteAsync("written"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length) => (length = 0) != 0;
    }
}
