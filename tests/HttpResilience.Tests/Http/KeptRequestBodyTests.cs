using System.Net;
using System.Text;

namespace HttpResilience.Tests.Http;

/// <summary>What can be written only once is kept in memory when its length is known and fits.</summary>
public sealed class KeptRequestBodyTests : IDisposable
{
    private const string Text = "0123456789";

    private readonly OneShotStream _stream = new(Encoding.ASCII.GetBytes(Text));

    public void Dispose() => _stream.Dispose();

    [Theory]
    [InlineData(10, true)]
    [InlineData(11, true)]
    [InlineData(int.MaxValue, true)]
    [InlineData(10, false)]
    [InlineData(int.MaxValue, false)]
    public async Task A_body_of_known_length_within_the_limit_is_kept_and_written_alike_twice(int maxBytes, bool async)
    {
        using var content = new StreamContent(_stream) { Headers = { ContentLength = Text.Length } };
        RequestBody.IsReplayable(content).ShouldBeFalse();

        (await RequestBody.TryKeepAsync(content, maxBytes, async, TestContext.Current.CancellationToken)).ShouldBeTrue();

        (await WriteAsync(content)).ShouldBe(Text);
        (await WriteAsync(content)).ShouldBe(Text);
    }

    [Fact]
    public void Without_async_it_is_kept_when_the_call_returns()
    {
        using var content = new StreamContent(_stream) { Headers = { ContentLength = Text.Length } };

        var keeping = RequestBody.TryKeepAsync(content, 10, async: false, TestContext.Current.CancellationToken);

        keeping.IsCompletedSuccessfully.ShouldBeTrue();
        _stream.BytesRead.ShouldBe(Text.Length);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(0)]
    public async Task A_body_above_the_limit_is_left_unread(int maxBytes)
    {
        using var content = new StreamContent(_stream) { Headers = { ContentLength = Text.Length } };

        (await RequestBody.TryKeepAsync(content, maxBytes, async: true, TestContext.Current.CancellationToken)).ShouldBeFalse();

        _stream.BytesRead.ShouldBe(0);
        (await WriteAsync(content)).ShouldBe(Text);
    }

    [Fact]
    public async Task A_length_beyond_31_bits_is_above_every_limit()
    {
        using var content = new StreamContent(_stream) { Headers = { ContentLength = 1L << 32 } };

        (await RequestBody.TryKeepAsync(content, int.MaxValue, async: true, TestContext.Current.CancellationToken)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_left_unread()
    {
        using var content = new StreamContent(_stream);

        (await RequestBody.TryKeepAsync(content, int.MaxValue, async: true, TestContext.Current.CancellationToken)).ShouldBeFalse();

        _stream.BytesRead.ShouldBe(0);
        (await WriteAsync(content)).ShouldBe(Text);
    }

    [Fact]
    public async Task A_multipart_body_with_a_part_of_known_length_is_kept_whole()
    {
        using var content = new MultipartContent("mixed", "boundary")
        {
            new StringContent("text"),
            new ContentOfKnownLength(_stream, Text.Length),
        };

        (await RequestBody.TryKeepAsync(content, 1024, async: true, TestContext.Current.CancellationToken)).ShouldBeTrue();

        string first = await WriteAsync(content);
        first.ShouldContain(Text);
        (await WriteAsync(content)).ShouldBe(first);
    }

    [Fact]
    public async Task A_multipart_body_with_a_part_of_unknown_length_is_left_unread()
    {
        using var content = new MultipartContent { new StringContent("text"), new StreamContent(_stream) };

        (await RequestBody.TryKeepAsync(content, int.MaxValue, async: true, TestContext.Current.CancellationToken)).ShouldBeFalse();

        _stream.BytesRead.ShouldBe(0);
    }

    [Fact]
    public async Task An_empty_body_is_kept_under_a_limit_of_nothing()
    {
        using var content = new StreamContent(new OneShotStream([])) { Headers = { ContentLength = 0 } };

        (await RequestBody.TryKeepAsync(content, 0, async: true, TestContext.Current.CancellationToken)).ShouldBeTrue();
    }

    private sealed class ContentOfKnownLength(Stream stream, long knownLength) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream target, TransportContext? context) => stream.CopyToAsync(target);

        protected override bool TryComputeLength(out long length)
        {
            length = knownLength;
            return true;
        }
    }

    private static async Task<string> WriteAsync(HttpContent content)
    {
        using var written = new MemoryStream();
        await content.CopyToAsync(written, TestContext.Current.CancellationToken);
        return Encoding.ASCII.GetString(written.ToArray());
    }
}
