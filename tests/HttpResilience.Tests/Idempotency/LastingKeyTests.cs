using System.Net;
using System.Net.Http.Json;
using HttpResilience.Tests.Http;

namespace HttpResilience.Tests.Idempotency;

/// <summary>
/// The key that is made of a request stays the same in every version: a server knows the keys of the version before, and another one would
/// make the same payment twice.
/// </summary>
public sealed class LastingKeyTests
{
    private static readonly byte[] Long = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7))];

    private static Dictionary<string, (string Key, Func<HttpContent?> Content)> Bodies => new()
    {
        ["none"] = ("wme-AvXyrSnb_R-epG8R1f5o9pb6_mt64L08WC95fvY", () => null),
        ["empty"] = ("wme-AvXyrSnb_R-epG8R1f5o9pb6_mt64L08WC95fvY", () => new ByteArrayContent([])),
        ["text"] = ("zoBeJ4GUui_kFKd0LNkgQXHTinfriS5LKFYvA-U00o4",
            () => new StringContent("{\"number\":1}")),
        ["a part of bytes"] = ("zoBeJ4GUui_kFKd0LNkgQXHTinfriS5LKFYvA-U00o4",
            () => new ByteArrayContent("xx{\"number\":1}xx"u8.ToArray(), 2, 12)),
        ["memory"] = ("zoBeJ4GUui_kFKd0LNkgQXHTinfriS5LKFYvA-U00o4",
            () => new ReadOnlyMemoryContent("{\"number\":1}"u8.ToArray())),
        ["form"] = ("VvpWgDNiVv2YhLHK1Xw6YSE-cAXl6E4yikJUaoKfqE8",
            () => new FormUrlEncodedContent([new("number", "1"), new("name", "ä b&c")])),
        ["200,000 bytes"] = ("fVYxSHSiwa3-gXhPaiyZ_9kXaqg-Zr0uh3Zc2SAIJ1g",
            () => new ByteArrayContent(Long)),
        ["JSON"] = ("RNfay7vmiNTiwxu_J6KhJAyYhLNVKDwfDNqwmoJNWos",
            () => JsonContent.Create(new Invoice(1, "ä"))),
        ["JSON that is long"] = ("yn8kDNqnMjUNig1OGZUlT4Edk1MbH08GM5AjehdAAvI",
            () => JsonContent.Create(Enumerable.Range(0, 50_000).ToArray())),
        ["JSON of code"] = ("TP95mJjp6ccDuvooH1MIy5hy7nVjbUmeY8GTTXstLXw",
            () => JsonContent.Create(Enumerable.Range(0, 3).Select(i => i * 2))),
        ["stream that can seek"] = ("fVYxSHSiwa3-gXhPaiyZ_9kXaqg-Zr0uh3Zc2SAIJ1g",
            () => new StreamContent(new MemoryStream(Long))),
        ["stream that cannot"] = ("fVYxSHSiwa3-gXhPaiyZ_9kXaqg-Zr0uh3Zc2SAIJ1g",
            () => new StreamContent(new OneShotStream(Long))),
        ["content of its own"] = ("YYVcZCGYJBxhTKIEWRdC_NALqQ9C_27Sg2lGPglfzRQ",
            () => new ByteWise(Long[..5_000])),
        ["multipart"] = ("2uU0O4EJIdSW_BE86rNIOqp08LyJPl8shU8aicVGtjM",
            () => new MultipartFormDataContent
        {
            { new StringContent("1"), "number" }, { new ByteArrayContent(Long), "file", "ä.bin" },
            { JsonContent.Create(new Invoice(1, "ä")), "json" }, { new StreamContent(new MemoryStream(Long)), "stream" },
        }),
        ["multipart inside another"] = ("ueJHHO2bXq7ftBRBMQxQ6S-kSpl9Z-oQJQ2uVFa-m_s",
            () => new MultipartContent("mixed") { new MultipartContent { new StringContent("1") } }),
        ["multipart without parts"] = ("bRzMqq9Um29adudW1XADdAP5VdP7gRPMrWvt0eecMAE",
            () => new MultipartContent()),
        ["multipart that is recorded"] = ("LhzLDAIw7nCjSbbRI1ZlvY23Z1EDd693Vg75jP2wBK8",
            () => new MultipartFormDataContent
        {
            { new StringContent("1"), "number" }, { new StreamContent(new OneShotStream(Long)), "file" }, { new ByteWise([1, 2]), "own" },
        }),
    };

    public static TheoryData<string> Kinds => [.. Bodies.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_key_is_that_of_the_first_version(string kind)
    {
        foreach (bool async in new[] { true, false })
        {
            using var chain = new Chain(o => o.Idempotency.KeySource = KeySource.Content);
            using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.test/invoices?x=1");
            request.Content = Bodies[kind].Content();

            (await chain.SendAsync(async, request)).Dispose();

            chain.Server.Requests[0].IdempotencyKey.ShouldBe(Bodies[kind].Key, $"{kind}, {async}");
        }
    }

    private sealed record Invoice(int Number, string Name);

    /// <summary>Writes in all the ways that a stream has.</summary>
    private sealed class ByteWise(byte[] bytes) : HttpContent
    {
        protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            stream.Write(bytes);
            stream.Flush();
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            stream.WriteByte(bytes[0]);
            await stream.WriteAsync(bytes.AsMemory(1, bytes.Length / 2), CancellationToken.None);
            await stream.FlushAsync(CancellationToken.None);
            int written = 1 + bytes.Length / 2;
            stream.Write(bytes, written, bytes.Length - written);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
