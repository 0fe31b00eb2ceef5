using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using HttpResilience.Tests.Http;

namespace HttpResilience.Tests.Idempotency;

public sealed class BodyDigestTests
{
    private const string Json = "{\"number\":1}";

    public static TheoryData<string, bool> Bodies => [.. Contents.Keys.SelectMany(k => new[] { (k, true), (k, false) })];

    private static Dictionary<string, Func<HttpContent>> Contents => new()
    {
        ["text"] = () => new StringContent(Json),
        ["bytes"] = () => new ByteArrayContent(Encoding.UTF8.GetBytes(Json)),
        ["memory"] = () => new ReadOnlyMemoryContent(Encoding.UTF8.GetBytes(Json)),
        ["json"] = () => JsonContent.Create(new Dictionary<string, int> { ["number"] = 1 }),
        ["seekable stream"] = () => new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(Json))),
        ["one-way stream"] = () => new StreamContent(new OneShotStream(Encoding.UTF8.GetBytes(Json))),
        ["one-way stream of known length"] =
            () => new StreamContent(new OneShotStream(Encoding.UTF8.GetBytes(Json))) { Headers = { ContentLength = Json.Length } },
        ["content of its own"] = () => new WrittenContent(Json),
    };

    /// <summary>And is sent as it was digested.</summary>
    [Theory, MemberData(nameof(Bodies))]
    public async Task The_same_bytes_have_the_same_digest_whatever_holds_them(string kind, bool async)
    {
        using var content = Contents[kind]();

        byte[]? digest = await Digest(content, async);

        digest.ShouldBe(SHA256.HashData([0, .. Encoding.UTF8.GetBytes(Json)]));
        (await WriteAsync(content)).ShouldBe(Json);
        (await WriteAsync(content)).ShouldBe(Json);
        (await Digest(content, async)).ShouldBe(digest);
    }

    [Fact]
    public void Without_async_nothing_is_left_to_wait_for()
    {
        foreach (var (kind, make) in Contents)
        {
            using var content = make();

            var reading = new BodyDigest(1024, required: true, async: false, TestContext.Current.CancellationToken).ReadAsync(content);

            reading.IsCompletedSuccessfully.ShouldBeTrue(kind);
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_stream_is_read_in_the_way_that_the_call_is_made(bool async)
    {
        var stream = new AskedStream(Encoding.UTF8.GetBytes(Json));
        using var content = new StreamContent(stream);

        (await Digest(content, async)).ShouldNotBeNull();

        stream.WasAskedAsync.ShouldBe(async);
    }

    [Fact]
    public async Task No_body_is_an_empty_one() =>
        (await Digest(null)).ShouldBe(await Digest(new ByteArrayContent([])));

    [Fact]
    public async Task Content_that_is_serialized_on_each_write_is_written_once()
    {
        var value = new Changing();
        using var content = JsonContent.Create(value);

        byte[]? digest = await Digest(content);

        string sent = await WriteAsync(content);
        (await WriteAsync(content)).ShouldBe(sent);
        SHA256.HashData([0, .. Encoding.UTF8.GetBytes(sent)]).ShouldBe(digest);
        value.Reads.ShouldBe(1);
    }

    [Theory, InlineData(12, true), InlineData(11, false)]
    public async Task Content_that_can_be_read_only_once_must_fit(int maxBytes, bool fits)
    {
        using var content = new StreamContent(new OneShotStream(Encoding.UTF8.GetBytes(Json)));

        (await Digest(content, maxBytes: maxBytes) is not null).ShouldBe(fits);
    }

    [Fact]
    public async Task Content_that_can_be_read_again_may_be_of_any_length()
    {
        using var stream = new StreamContent(new MemoryStream(new byte[100]));
        using var json = JsonContent.Create(new string('x', 100));

        (await Digest(stream, maxBytes: 0)).ShouldNotBeNull();
        (await Digest(json, maxBytes: 0)).ShouldNotBeNull();
    }

    [Theory, InlineData(null), InlineData(13L)]
    public async Task A_stream_that_may_not_fit_is_not_read_unless_the_digest_is_required(long? length)
    {
        var stream = new OneShotStream(Encoding.UTF8.GetBytes(Json));
        using var content = new StreamContent(stream) { Headers = { ContentLength = length } };

        (await new BodyDigest(12, required: false, async: true, TestContext.Current.CancellationToken).ReadAsync(content)).ShouldBeNull();

        stream.BytesRead.ShouldBe(0);
    }

    [Fact]
    public async Task A_body_that_cannot_be_read_is_no_body_that_is_too_long()
    {
        using var content = new WrittenContent(null);

        await Should.ThrowAsync<HttpRequestException>(async () => await Digest(content));
    }

    private static async Task<byte[]?> Digest(HttpContent? content, bool async = true, int maxBytes = 1024) =>
        await new BodyDigest(maxBytes, required: true, async, TestContext.Current.CancellationToken).ReadAsync(content);

    private static async Task<string> WriteAsync(HttpContent content)
    {
        using var written = new MemoryStream();
        await content.CopyToAsync(written, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(written.ToArray());
    }

    private sealed class AskedStream(byte[] bytes) : MemoryStream(bytes)
    {
        internal bool WasAskedAsync { get; private set; }

        public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            WasAskedAsync = true;
            return base.CopyToAsync(destination, bufferSize, cancellationToken);
        }
    }

    private sealed class Changing
    {
        internal int Reads { get; private set; }

        public int Number => ++Reads;
    }

    /// <summary>Nothing is known of it but that it can be written, once. Null: not even that.</summary>
    private sealed class WrittenContent(string? text) : HttpContent
    {
        private bool _written;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            if (text is null)
                throw new IOException("Gone");
            _written.ShouldBeFalse();
            _written = true;
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
