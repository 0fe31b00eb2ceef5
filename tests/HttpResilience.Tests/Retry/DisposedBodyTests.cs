using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary>A handler, or the caller, may dispose, read or change the content of an attempt: the next one sends the same body.</summary>
public sealed class DisposedBodyTests
{
    private static readonly Dictionary<string, Func<HttpContent>> Contents = new()
    {
        ["text"] = () => new StringContent("an invoice"),
        ["bytes"] = () => new ByteArrayContent("an invoice"u8.ToArray()),
        ["memory"] = () => new ReadOnlyMemoryContent("an invoice"u8.ToArray()),
        ["json"] = () => JsonContent.Create("an invoice"),
        ["json that counts how often it is read"] = () => JsonContent.Create(new Counting()),
        ["lazy json"] = () => JsonContent.Create(Http.OneShot.Rows(["an invoice"])),
        ["parts"] = () => new MultipartFormDataContent("border")
        {
            { new StringContent("an invoice"), "a" },
            { JsonContent.Create(1), "b" },
            { new MultipartContent("mixed", "inner") { new StringContent("x") }, "c" },
        },
        ["a stream that can seek"] = () => new StreamContent(new MemoryStream("an invoice"u8.ToArray())),
        ["a pushed content"] = () => new Http.PushedContent((stream, token) => stream.WriteAsync("an invoice"u8.ToArray(), token).AsTask()),
    };

    private static readonly Dictionary<string, Func<HttpRequestMessage, Task>> Changes = new()
    {
        ["the content is disposed"] = request => Do(() => request.Content!.Dispose()),
        ["the request is disposed"] = request => Do(request.Dispose),
        ["the stream is read and closed"] = async request =>
        {
            await using var stream = await request.Content!.ReadAsStreamAsync();
            await stream.CopyToAsync(Stream.Null);
        },
        ["the stream is read"] = async request => await (await request.Content!.ReadAsStreamAsync()).CopyToAsync(Stream.Null),
        ["a part is added"] = request => Do(() => (request.Content as MultipartFormDataContent)?.Add(new StringContent("T"), "ts")),
    };

    public static TheoryData<string, string> All => [.. Contents.Keys.SelectMany(c => Changes.Keys.Select(h => (c, h)))];

    [Theory, MemberData(nameof(All))]
    public async Task The_next_attempt_sends_the_same_body(string body, string change)
    {
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new After(Changes[change])));
        chain.Server.Script(Replies.Status(503), Replies.Reset(), Replies.Status(200));

        using var response = await chain.SendAsync(true, Chain.Post(Contents[body]()));

        ((int)response.StatusCode).ShouldBe(200);
        chain.Server.Requests.Count.ShouldBe(3);
        chain.Server.Requests.Select(r => r.Text).Distinct().ShouldHaveSingleItem()!.ShouldContain("an invoice");
    }

    [Fact]
    public async Task A_stream_that_is_lost_ends_the_call_with_the_response_that_it_had()
    {
        var stream = new MemoryStream("an invoice"u8.ToArray());
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new After(_ => Do(stream.Dispose))));
        chain.Server.Script(Replies.Status(503, "busy"), Replies.Status(200));

        using var response = await chain.SendAsync(true, Chain.Post(new StreamContent(stream)));

        ((int)response.StatusCode).ShouldBe(503);
        var call = response.GetHttpCall()!;
        call.StopReason.ShouldBe(StopReason.BodyNotReplayable);
        call.Attempts.Count.ShouldBe(1);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("busy");
    }

    public static TheoryData<string> AllContents => [.. Contents.Keys];

    [Theory, MemberData(nameof(AllContents))]
    public async Task A_handler_that_signs_the_stream_of_the_content_signs_what_is_sent(string body)
    {
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new Signing()));
        chain.Server.Script(Replies.Status(503), Replies.Reset(), Replies.Status(200));

        using var response = await chain.SendAsync(true, Chain.Post(Contents[body]()));

        ((int)response.StatusCode).ShouldBe(200);
        chain.Server.Requests.Count.ShouldBe(3);
        chain.Server.Requests.ShouldAllBe(r => r.Headers[Signing.Field] == Signing.Of(r.Body.ToArray()));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_content_that_a_handler_disposed_is_disposed_when_the_call_has_ended(bool isDisposed)
    {
        HttpContent[] contents = [new Disposable(), new StreamContent(new MemoryStream(new byte[3]))];
        foreach (var content in contents)
        {
            using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new After(r => Do(() =>
            {
                if (isDisposed)
                    r.Content!.Dispose();
            }))));
            chain.Server.Script(Replies.Status(503), Replies.Status(200));
            var request = Chain.Post(content);

            using var response = await chain.SendAsync(true, request);

            request.Content.ShouldBe(content);
            IsDisposed(content).ShouldBe(isDisposed);
            request.Dispose();
            IsDisposed(content).ShouldBeTrue();
        }
    }

    [Theory, InlineData("by the application"), InlineData("by a handler")]
    public async Task A_body_above_the_limit_that_is_buffered_is_sent_again(string buffered)
    {
        const int length = 3_000_000;
        Func<HttpContent>[] contents =
        [
            () => new Http.PushedContent((stream, token) => stream.WriteAsync(new byte[length], token).AsTask()),
            () => new Http.PushedContent((stream, token) => stream.WriteAsync(new byte[length], token).AsTask(), length),
            () => new StreamContent(new Http.OneShotStream(new byte[length])),
            () => JsonContent.Create(Http.OneShot.Rows([new string('a', length)])),
            () => new MultipartFormDataContent { { new StreamContent(new Http.OneShotStream(new byte[length])), "file" } },
        ];
        foreach (var make in contents)
        {
            using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new Before(
                r => buffered is "by a handler" ? r.Content!.LoadIntoBufferAsync() : Task.CompletedTask)));
            chain.Server.Script(Replies.Status(503), Replies.Reset(), Replies.Status(200));
            var content = make();
            if (buffered is "by the application")
                await content.LoadIntoBufferAsync(TestContext.Current.CancellationToken);

            using var response = await chain.SendAsync(true, Chain.Post(content));

            ((int)response.StatusCode).ShouldBe(200);
            chain.Server.Requests.Count.ShouldBe(3);
            chain.Server.Requests.Select(r => r.Text).Distinct().ShouldHaveSingleItem()!.Length.ShouldBeGreaterThanOrEqualTo(length);
        }
    }

    [Theory, MemberData(nameof(AllContents))]
    public async Task A_content_that_the_caller_disposes_between_two_attempts_is_sent_again(string body)
    {
        var content = Contents[body]();
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new After(_ => Do(content.Dispose))));
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        using var response = await chain.SendAsync(true, Chain.Post(content));

        var call = response.GetHttpCall()!;
        if (body == "a stream that can seek")
        {
            // Its stream is closed with it.
            ((int)response.StatusCode, call.StopReason, call.Attempts.Count).ShouldBe((503, StopReason.BodyNotReplayable, 1));
            return;
        }

        ((int)response.StatusCode, call.Attempts.Count).ShouldBe((200, 2));
        chain.Server.Requests[1].Text.ShouldBe(chain.Server.Requests[0].Text);
    }

    private static bool IsDisposed(HttpContent content) =>
        content is Disposable { IsDisposed: true }
        || (content is StreamContent && Record.Exception(() => content.ReadAsStream()) is ObjectDisposedException);

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private sealed class After(Func<HttpRequestMessage, Task> change) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            finally
            {
                await change(request);
            }
        }
    }

    private sealed class Counting
    {
        private int _reads;

        public string Text => $"an invoice, {++_reads}";
    }

    private sealed class Before(Func<HttpRequestMessage, Task> change) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await change(request);
            return await base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Signing : DelegatingHandler
    {
        internal const string Field = "X-Signature";

        internal static string Of(byte[] body) => Convert.ToHexString(SHA256.HashData(body));

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            byte[] hash = await SHA256.HashDataAsync(await request.Content!.ReadAsStreamAsync(cancellationToken), cancellationToken);
            request.Headers.Add(Field, Convert.ToHexString(hash));
            return await base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Disposable : HttpContent
    {
        internal bool IsDisposed { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(new byte[3]).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
