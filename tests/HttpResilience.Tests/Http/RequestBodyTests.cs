using System.Net;
using System.Net.Http.Json;
using System.Text;

namespace HttpResilience.Tests.Http;

/// <summary>Which content is a value, and is sent a second time as it is.</summary>
public sealed class RequestBodyTests
{
    public static TheoryData<string> Replayable =>
        ["bytes", "slice", "memory", "string", "form", "json", "stream", "stream from its middle", "multipart", "nested multipart"];

    public static TheoryData<string> OnlyOnce => ["one-shot stream", "custom", "derived stream content", "derived multipart",
        "multipart with a one-shot stream", "nested multipart with a one-shot stream", "json of async strings", "json of async numbers",
        "json of an iterator", "stream that fails to seek", "stream without a length", "stream without a position"];

    [Fact]
    public void A_request_without_content_can_be_sent_again() => RequestBody.IsValue(null).ShouldBeTrue();

    [Theory, MemberData(nameof(Replayable))]
    public async Task Replayable_content_is_written_alike_three_times(string kind)
    {
        using var content = Make(kind);

        RequestBody.IsValue(content).ShouldBeTrue();

        string first = await WriteAsync(content);
        first.ShouldNotBeEmpty();
        (await WriteAsync(content)).ShouldBe(first);
        (await WriteAsync(content)).ShouldBe(first);
    }

    [Theory, MemberData(nameof(OnlyOnce))]
    public void Content_that_can_be_written_only_once_is_not_replayable(string kind)
    {
        using var content = Make(kind);

        RequestBody.IsValue(content).ShouldBeFalse();
    }

    [Fact]
    public void To_tell_a_value_allocates_nothing()
    {
        HttpContent[] contents =
            [new StringContent("invoice"), new ByteArrayContent([1]), JsonContent.Create(new { Number = 5 }), Make("stream")];
        foreach (var content in contents)
        {
            RequestBody.IsValue(content).ShouldBeTrue();
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
                RequestBody.IsValue(content);
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0, content.GetType().Name);
        }
    }

    [Fact]
    public async Task Asking_does_not_read_the_stream()
    {
        using var seekable = new MemoryStream("0123456789"u8.ToArray()) { Position = 4 };
        using var once = new OneShotStream("0123456789"u8.ToArray());
        using var ofSeekable = new StreamContent(seekable);
        using var ofOnce = new StreamContent(once);

        RequestBody.IsValue(ofSeekable);
        RequestBody.IsValue(ofOnce);

        seekable.Position.ShouldBe(4);
        once.BytesRead.ShouldBe(0);
        (await WriteAsync(ofSeekable)).ShouldBe("456789");
        (await WriteAsync(ofOnce)).ShouldBe("0123456789");
    }

    [Fact]
    public async Task A_one_shot_stream_that_the_application_has_buffered_is_replayable()
    {
        using var content = new StreamContent(new OneShotStream("invoice"u8.ToArray()));
        await content.LoadIntoBufferAsync(TestContext.Current.CancellationToken);

        RequestBody.IsValue(content).ShouldBeTrue();
        (await WriteAsync(content)).ShouldBe("invoice");
        (await WriteAsync(content)).ShouldBe("invoice");
    }

    private static HttpContent Make(string kind) => kind switch
    {
        "bytes" => new ByteArrayContent([1, 2, 3]),
        "slice" => new ByteArrayContent([1, 2, 3, 4], 1, 2),
        "memory" => new ReadOnlyMemoryContent(new byte[] { 1, 2, 3 }),
        "string" => new StringContent("invoice"),
        "form" => new FormUrlEncodedContent([new("a", "1"), new("b", "2")]),
        "json" => JsonContent.Create(new { Number = 5 }),
        "stream" => new StreamContent(new MemoryStream("invoice"u8.ToArray())),
        "stream from its middle" => new StreamContent(new MemoryStream("invoice"u8.ToArray()) { Position = 3 }),
        "multipart" => new MultipartFormDataContent
        {
            { new StringContent("a"), "a" },
            { new StreamContent(new MemoryStream([1, 2])), "file", "a.bin" }
        },
        "nested multipart" => new MultipartContent { new MultipartContent { new StringContent("a") }, new ByteArrayContent([1]) },
        "one-shot stream" => new StreamContent(new OneShotStream([1, 2])),
        "custom" => new CustomContent(),
        "multipart with a one-shot stream" => new MultipartContent { new StringContent("a"), new StreamContent(new OneShotStream([1, 2])) },
        "nested multipart with a one-shot stream" =>
            new MultipartContent { new MultipartContent { new StreamContent(new OneShotStream([1, 2])) } },
        "json of async strings" => JsonContent.Create(AsyncStrings()),
        "json of an iterator" => JsonContent.Create(Numbers()),
        "stream that fails to seek" => new StreamContent(new FalseSeekStream([1, 2])),
        "stream without a length" => new StreamContent(new FalseSeekStream([1, 2], seek: false, length: true)),
        "stream without a position" => new StreamContent(new FalseSeekStream([1, 2], seek: false, position: true)),
        "derived stream content" => new DerivedStreamContent(),
        "derived multipart" => new DerivedMultipart { new StringContent("a") },
        "json of async numbers" => JsonContent.Create(AsyncNumbers()),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static async Task<string> WriteAsync(HttpContent content)
    {
        using var written = new MemoryStream();
        await content.CopyToAsync(written, TestContext.Current.CancellationToken);
        return Encoding.Latin1.GetString(written.ToArray());
    }

    private static async IAsyncEnumerable<string> AsyncStrings()
    {
        await Task.Yield();
        yield return "a";
    }

    private static async IAsyncEnumerable<int> AsyncNumbers()
    {
        await Task.Yield();
        yield return 1;
    }

    private static IEnumerable<int> Numbers()
    {
        yield return 1;
    }

    private sealed class DerivedStreamContent() : StreamContent(new MemoryStream([1]));

    private sealed class DerivedMultipart : MultipartContent;

    private sealed class CustomContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.CompletedTask;

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return true;
        }
    }
}
