using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;

namespace HttpResilience.Tests.Http;

public sealed class EncodedTextTests
{
    private const string Text = "Nicht gültig: Währung, Größe";

    [Theory]
    [InlineData("utf-8", "utf-8")]
    [InlineData("UTF-8", "utf-8")]
    [InlineData("\"utf-8\"", "utf-8")]
    [InlineData(null, "utf-8")]
    [InlineData("no-such-charset", "utf-8")]
    [InlineData("utf-7", "utf-8")]
    [InlineData("iso-8859-1", "iso-8859-1")]
    [InlineData("latin1", "iso-8859-1")]
    [InlineData("windows-1252", "windows-1252")]
    [InlineData("ibm850", "ibm850")]
    [InlineData("utf-16", "utf-16")]
    [InlineData("utf-16be", "utf-16BE")]
    public void A_text_is_read_by_its_charset(string? charset, string encoding) =>
        Read(EncodingOf(encoding).GetBytes(Text), charset).ShouldBe(Text);

    [Theory]
    [InlineData("utf-8", "iso-8859-1")]
    [InlineData("utf-16", null)]
    [InlineData("utf-16BE", "utf-8")]
    public void A_byte_order_mark_says_more_than_the_charset(string encoding, string? charset) =>
        Read([.. EncodingOf(encoding).GetPreamble(), .. EncodingOf(encoding).GetBytes(Text)], charset).ShouldBe(Text);

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZip")]
    [InlineData("x-gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("identity")]
    [InlineData("gzip, br")]
    [InlineData("deflate, identity, gzip")]
    public void A_text_is_read_through_its_codings(string codings)
    {
        byte[] body = codings.Split(", ").Aggregate(Encoding.UTF8.GetBytes(Text), (bytes, coding) => Compress(bytes, coding));

        Read(body, "utf-8", codings.Split(", ")).ShouldBe(Text);
    }

    [Fact]
    public void Deflate_without_the_header_of_zlib_is_read_too()
    {
        using var target = new MemoryStream();
        using (var deflate = new DeflateStream(target, CompressionMode.Compress, leaveOpen: true))
            deflate.Write(Encoding.UTF8.GetBytes(Text));

        Read(target.ToArray(), "utf-8", "deflate").ShouldBe(Text);
    }

    [Theory, InlineData("zstd"), InlineData("compress"), InlineData("nonsense")]
    public void A_text_in_an_unknown_coding_is_none(string coding) => Read([1, 2, 3, 4], "utf-8", coding).ShouldBeNull();

    [Theory, InlineData("gzip"), InlineData("br"), InlineData("deflate")]
    public void Garbage_that_claims_to_be_compressed_is_none(string coding) =>
        Read([0x3C, 0x68, 0x31, 0x3E, 0xFF, 0x00, 0x17, 0x99], "utf-8", coding).ShouldBeNull();

    [Theory, InlineData("gzip"), InlineData("br"), InlineData("deflate")]
    public void The_beginning_of_a_compressed_text_is_read_as_far_as_it_goes(string coding)
    {
        string text = string.Concat(Enumerable.Range(0, 5000).Select(i => $"line {i * 7919 % 10007}\n"));
        byte[] body = Compress(Encoding.UTF8.GetBytes(text), coding);

        string? read = Read(body[..(body.Length / 2)], "utf-8", coding);

        text.ShouldStartWith(read!);
        read!.Length.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void A_bomb_is_read_to_the_limit_only()
    {
        byte[] body = Compress(new byte[50_000_000], "gzip");

        EncodedText.Read(HeadersOf(null, "gzip"), body, maxBytes: 2048)!.Length.ShouldBe(2048);
    }

    [Fact]
    public void A_character_that_is_cut_in_the_middle_is_left_out() =>
        Read(Encoding.UTF8.GetBytes("Größe")[..3], "utf-8").ShouldBe("Gr");

    [Fact]
    public void Random_bytes_never_throw()
    {
        var random = new Random(3);
        string[] codings = ["gzip", "deflate", "br", "identity"];
        string[] charsets = ["utf-8", "utf-16", "iso-2022-jp", "gb18030", "utf-32", "us-ascii"];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] body = new byte[random.Next(64)];
            random.NextBytes(body);
            Should.NotThrow(() => Read(body, charsets[random.Next(charsets.Length)], codings[random.Next(codings.Length)]));
        }
    }

    [Theory]
    [InlineData("application/problem+json", "iso-8859-1", "gzip")]
    [InlineData("application/json", "utf-16", "br")]
    [InlineData("application/problem+json", "utf-8", "deflate")]
    public async Task The_log_has_the_problem_of_a_compressed_response_and_the_caller_its_bytes(string type, string charset, string coding)
    {
        byte[] body = Compress(EncodingOf(charset).GetBytes("{ \"title\": \"Währung ungültig\", \"detail\": \"EUX\" }"), coding);
        using var chain = new Chain();
        chain.Server.Script(Replies.Content(422, () =>
        {
            var content = new ByteArrayContent(body) { Headers = { ContentType = new(type) { CharSet = charset } } };
            content.Headers.ContentEncoding.Add(coding);
            return content;
        }));

        using var response = await chain.PostAsync();

        chain.Logs.Call["ErrorBody"].ShouldBe("Währung ungültig: EUX");
        (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(body);
    }

    private static string? Read(byte[] body, string? charset, params string[] codings) =>
        EncodedText.Read(HeadersOf(charset, codings), body, maxBytes: 100_000);

    private static HttpContentHeaders HeadersOf(string? charset, params string[] codings)
    {
        var headers = new ByteArrayContent([]).Headers;
        headers.TryAddWithoutValidation("Content-Type", charset is null ? "text/plain" : $"text/plain; charset={charset}");
        foreach (string coding in codings)
            headers.ContentEncoding.Add(coding);
        return headers;
    }

    private static Encoding EncodingOf(string name) => CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);

    private static byte[] Compress(byte[] bytes, string coding)
    {
        using var target = new MemoryStream();
        using (Stream stream = coding.ToUpperInvariant() switch
        {
            "GZIP" or "X-GZIP" => new GZipStream(target, CompressionMode.Compress, leaveOpen: true),
            "DEFLATE" => new ZLibStream(target, CompressionMode.Compress, leaveOpen: true),
            "BR" => new BrotliStream(target, CompressionMode.Compress, leaveOpen: true),
            _ => new BufferedStream(target),
        })
        {
            stream.Write(bytes);
            stream.Flush();
            if (coding == "identity")
                return target.ToArray();
        }

        return target.ToArray();
    }
}
