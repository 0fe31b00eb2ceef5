using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using HttpResilience.Tests.Http;

namespace HttpResilience.Tests.Idempotency;

public sealed class BodyDigestTests
{
    private const string Json = "{\"number\":1}";

    public static TheoryData<string> Bodies => [.. Contents.Keys];

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
    public async Task The_same_bytes_have_the_same_digest_whatever_holds_them(string kind)
    {
        using var content = Recorded.Of(Contents[kind]());

        byte[]? digest = await Digest(content);

        digest.ShouldBe(SHA256.HashData([0, .. Encoding.UTF8.GetBytes(Json)]));
        (await WriteAsync(content)).ShouldBe(Json);
        (await WriteAsync(content)).ShouldBe(Json);
        (await Digest(content)).ShouldBe(digest);
    }

    [Fact]
    public async Task No_body_is_an_empty_one() =>
        BodyDigest.Of(null).ShouldBe(await Digest(new ByteArrayContent([])));

    [Fact]
    public async Task Content_that_is_serialized_on_each_write_is_written_once()
    {
        var value = new Changing();
        using var content = Recorded.Of(JsonContent.Create(value));

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

    [Fact]
    public async Task A_body_that_cannot_be_read_is_no_body_that_is_too_long()
    {
        using var content = new WrittenContent(null);

        await Should.ThrowAsync<HttpRequestException>(async () => await Digest(content));
    }

    /// <summary>A body that may block is read on another thread, whose start costs more than the digest.</summary>
    [Theory]
    [InlineData("text", true), InlineData("bytes", true), InlineData("memory", true), InlineData("json", true)]
    [InlineData("seekable stream", false), InlineData("one-way stream", false), InlineData("content of its own", false)]
    public async Task A_body_that_cannot_block_is_read_at_once(string kind, bool isAtOnce)
    {
        using var chain = new Chain();
        using var request = Chain.Get("https://api.test/");
        using var content = Recorded.Of(Contents[kind]());
        RequestBody.IsAtHand(content).ShouldBe(isAtOnce);

        var digest = IdempotencyKeyHandler.DigestAsync(
            chain.State, content, HttpCall.Open(request, chain.State), async: true, TestContext.Current.CancellationToken);

        if (isAtOnce)
            digest.IsCompletedSuccessfully.ShouldBeTrue();
        (await digest).ShouldBe(SHA256.HashData([0, .. Encoding.UTF8.GetBytes(Json)]));
    }

    [Fact]
    public void A_body_that_could_not_be_read_leaves_nothing_to_the_next_digest_of_the_thread()
    {
        byte[] expected = BodyDigest.Of(new StringContent(Json));
        var disposed = new StringContent("other");
        disposed.Dispose();

        Should.Throw<ObjectDisposedException>(() => BodyDigest.Of(disposed));

        BodyDigest.Of(new StringContent(Json)).ShouldBe(expected);
    }

    [Fact]
    public async Task A_json_body_of_a_cancelled_call_is_not_hashed()
    {
        using var chain = new Chain(o => o.Idempotency.KeySource = KeySource.Content);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        using var request = Chain.Get("https://api.test/");
        var call = HttpCall.Open(request, chain.State);

        var thrown = await Assert.ThrowsAsync<TaskCanceledException>(() => DigestAsync(cancelled.Token));
        chain.Clock.Advance(TimeSpan.FromDays(1));
        var late = await Assert.ThrowsAsync<TaskCanceledException>(() => DigestAsync(CancellationToken.None));

        thrown.CancellationToken.ShouldBe(cancelled.Token);
        late.InnerException.ShouldBeOfType<TimeoutException>();

        Task<byte[]?> DigestAsync(CancellationToken stop) =>
            IdempotencyKeyHandler.DigestAsync(chain.State, Contents["json"](), call, async: true, stop).AsTask();
    }

    private static async Task<byte[]?> Digest(HttpContent content, int maxBytes = 1024) =>
        await BodyDigest.ReadAsync(Recorded.Of(content, maxBytes), TestContext.Current.CancellationToken);

    private static async Task<string> WriteAsync(HttpContent content)
    {
        using var written = new MemoryStream();
        await content.CopyToAsync(written, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(written.ToArray());
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
