using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;

namespace HttpResilience.IntegrationTests;

/// <summary>A key derived from content is derived from the bytes that arrive.</summary>
public sealed class ContentKeyTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 31))];

    private static readonly Dictionary<string, Func<HttpContent>> Contents = new()
    {
        ["text"] = () => new StringContent("caf\u00e9"),
        ["form"] = () => new FormUrlEncodedContent(new Dictionary<string, string> { ["a"] = "1", ["b"] = "x y&z" }),
        ["json that changes whenever it is written"] = () => JsonContent.Create(new Clocked()),
        ["json of a sequence"] = () => JsonContent.Create(CountAsync()),
        ["seekable stream"] = () => new StreamContent(new MemoryStream(Bytes)),
        ["one-way stream"] = () => new StreamContent(new OneWay(Bytes)),
        ["one-way stream of known length"] = () => new StreamContent(new OneWay(Bytes)) { Headers = { ContentLength = Bytes.Length } },
        ["no body"] = () => new ByteArrayContent([]),
    };

    public static TheoryData<string, Mode> All => [.. Contents.Keys.SelectMany(c => new[] { (c, Mode.Async), (c, Mode.Sync) })];

    [Theory, MemberData(nameof(All))]
    public async Task The_key_is_derived_from_the_bytes_that_arrive_on_each_attempt(string kind, Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Abort, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, options => options.Idempotency.KeySource = KeySource.Content);

        using var response = await client.Client.SendAsync(mode, new(HttpMethod.Post, "/invoices?draft=1") { Content = Contents[kind]() });

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        server.Requests.Count.ShouldBe(3);
        foreach (var request in server.Requests)
        {
            byte[] digest = SHA256.HashData([0, .. request.Body]);
            request.Key.ShouldBe(new RequestFingerprint(HttpMethod.Post, new(server.Uri, request.Target), null, digest).ToKey());
        }
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Two_clients_that_send_the_same_form_with_files_agree_on_its_key(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        foreach (byte last in new byte[] { 1, 1, 2 })
        {
            await using var client = new ResilientClientUnderTest(server.Uri, options => options.Idempotency.KeySource = KeySource.Content);
            using var content = new MultipartFormDataContent
            {
                { new StringContent("1"), "number" },
                { new StreamContent(new OneWay([.. Bytes, last])), "file", "invoice.pdf" },
            };
            (await client.Client.SendAsync(mode, new(HttpMethod.Post, "/invoices") { Content = content })).Dispose();
        }

        server.Requests[1].Key.ShouldBe(server.Requests[0].Key);
        server.Requests[2].Key.ShouldNotBe(server.Requests[0].Key);
        server.Requests[0].Text.ShouldNotBe(server.Requests[1].Text);
    }

    private static async IAsyncEnumerable<int> CountAsync()
    {
        for (int i = 0; i < 1000; i++)
        {
            await Task.Yield();
            yield return i;
        }
    }

    private sealed class Clocked
    {
        private int _reads;

        public int Reads => ++_reads;
    }

    private sealed class OneWay(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
