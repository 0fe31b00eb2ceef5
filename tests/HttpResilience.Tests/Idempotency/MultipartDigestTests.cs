using System.Security.Cryptography;
using System.Text;
using HttpResilience.Tests.Http;

namespace HttpResilience.Tests.Idempotency;

/// <summary>A multipart body counts by its parts: the boundary is made up anew for each request.</summary>
public sealed class MultipartDigestTests
{
    [Fact]
    public async Task The_boundary_does_not_count()
    {
        byte[]? first = await DigestAsync(Form(("number", "1"), ("net", "9.90")));

        (await DigestAsync(Form(("number", "1"), ("net", "9.90")))).ShouldBe(first);
    }

    /// <summary>Keys are made of it: the layout never changes.</summary>
    [Fact]
    public async Task The_digest_is_made_of_each_parts_headers_and_digest()
    {
        using var content = new MultipartContent { new StringContent("1"), new ByteArrayContent([2]) };
        byte[] expected = SHA256.HashData(
        [
            1,
            .. Text("Content-Type"), .. Text("text/plain; charset=utf-8"), .. End, .. SHA256.HashData([0, (byte)'1']),
            .. End, .. SHA256.HashData([0, 2]),
        ]);

        (await DigestAsync(content)).ShouldBe(expected);

        static byte[] Text(string text) => [0, 0, 0, (byte)text.Length, .. Encoding.BigEndianUnicode.GetBytes(text)];
    }

    private static byte[] End => [0xff, 0xff, 0xff, 0xff];

    [Fact]
    public async Task Nor_does_that_of_a_multipart_body_inside()
    {
        byte[]? first = await DigestAsync(new MultipartContent("mixed") { Form(("a", "1")) });

        (await DigestAsync(new MultipartContent("mixed") { Form(("a", "1")) })).ShouldBe(first);
        (await DigestAsync(new MultipartContent("mixed") { Form(("a", "2")) })).ShouldNotBe(first);
        (await DigestAsync(new MultipartContent("mixed") { new MultipartContent("mixed") { Form(("a", "1")) } })).ShouldNotBe(first);
    }

    public static TheoryData<string> Others => [.. OtherForms.Keys];

    private static Dictionary<string, Func<HttpContent>> OtherForms => new()
    {
        ["another value"] = () => Form(("a", "1"), ("b", "3")),
        ["another name"] = () => Form(("a", "1"), ("c", "2")),
        ["another order"] = () => Form(("b", "2"), ("a", "1")),
        ["one part more"] = () => Form(("a", "1"), ("b", "2"), ("c", "")),
        ["one part less"] = () => Form(("a", "1")),
        ["bytes moved from part to part"] = () => Form(("a", "12"), ("b", "")),
        ["no parts"] = () => Form(),
        ["another media type"] =
            () => new MultipartFormDataContent { { new StringContent("1", null, "text/csv"), "a" }, { new StringContent("2"), "b" } },
        ["the same bytes as text"] = () => new StringContent("a=1&b=2"),
    };

    [Theory, MemberData(nameof(Others))]
    public async Task All_else_counts(string other)
    {
        byte[]? digest = await DigestAsync(Form(("a", "1"), ("b", "2")));

        (await DigestAsync(OtherForms[other]())).ShouldNotBe(digest);
    }

    [Fact]
    public async Task The_digest_of_a_multipart_body_differs_from_that_of_a_plain_body()
    {
        byte[]? empty = await DigestAsync(new MultipartContent());

        foreach (byte[] bytes in new byte[][] { [], [0], [1] })
            (await DigestAsync(new ByteArrayContent(bytes))).ShouldNotBe(empty);
    }

    [Fact]
    public async Task Reading_the_length_of_a_part_makes_no_difference()
    {
        byte[]? digest = await DigestAsync(new MultipartContent { new StringContent("text") });
        var part = new StringContent("text");
        part.Headers.ContentLength.ShouldBe(4);

        (await DigestAsync(new MultipartContent { part })).ShouldBe(digest);
    }

    [Theory]
    [InlineData(98, true)]
    [InlineData(97, false)]
    public async Task A_body_with_parts_that_can_be_read_only_once_must_fit(int maxBytes, bool fits)
    {
        using var content = new MultipartContent("mixed", "b")
        {
            OneWay("01234"), new StringContent("of any length"), OneWay("56789"),
        };

        (await DigestAsync(content, maxBytes: maxBytes) is not null).ShouldBe(fits);
    }

    [Fact]
    public async Task The_digested_content_is_the_content_that_is_sent()
    {
        using var content = Recorded.Of(new MultipartContent("mixed", "boundary") { OneWay("01234"), new StringContent("text") });

        byte[]? digest = await DigestAsync(content);

        (await WriteAsync(content)).ShouldBe(
            "--boundary\r\n\r\n01234\r\n--boundary\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ntext\r\n--boundary--\r\n");
        (await WriteAsync(content)).ShouldBe(await WriteAsync(content));
        (await DigestAsync(content)).ShouldBe(digest);
    }

    /// <summary>Keys are made of it, and a part in memory is the same part.</summary>
    [Theory]
    [InlineData("text", "")]
    [InlineData("", "--not the boundary\r\n\r\n--")]
    public async Task A_part_that_can_be_read_only_once_counts_like_one_in_memory(string first, string second)
    {
        using var inMemory = Nested(Bytes(first), Bytes(second));
        using var oneWay = Nested(OneWay(first), OneWay(second));
        oneWay.First().ShouldBeOfType<StreamContent>();

        (await DigestAsync(oneWay)).ShouldNotBeNull().ShouldBe(await DigestAsync(inMemory));

        static ByteArrayContent Bytes(string text) => new(Encoding.ASCII.GetBytes(text));
        static MultipartContent Nested(HttpContent first, HttpContent second) => new("mixed", "outer")
        {
            first,
            new MultipartFormDataContent("inner") { { second, "name", "file.csv" }, new StringContent("Grüße") },
            new MultipartContent(),
        };
    }

    private static async Task<string> WriteAsync(HttpContent content)
    {
        using var written = new MemoryStream();
        await content.CopyToAsync(written, TestContext.Current.CancellationToken);
        return Encoding.ASCII.GetString(written.ToArray());
    }

    private static StreamContent OneWay(string text) => new(new OneShotStream(Encoding.ASCII.GetBytes(text)));

    private static MultipartFormDataContent Form(params (string Name, string Value)[] fields)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
            form.Add(new StringContent(value), name);
        return form;
    }

    private static async Task<byte[]?> DigestAsync(HttpContent content, int maxBytes = 1024) =>
        await BodyDigest.ReadAsync(Recorded.Of(content, maxBytes), TestContext.Current.CancellationToken);
}
