using System.Net.Http.Json;
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

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_that_fails_is_neutral_for_the_circuit_and_may_have_been_processed(bool seekable)
    {
        using var chain = new Chain(o =>
        {
            o.CircuitBreaker.FailureThreshold = 1;
            (o.Retry.MaxRetryAttempts, o.Idempotency.Enabled) = (3, false);
        });
        chain.Server.Script(Replies.Status(200));
        HttpContent content = seekable
            ? new StreamContent(new BreakingStream())
            : new Http.PushedContent(async (stream, token) =>
            {
                await stream.WriteAsync(new byte[10], token);
                throw BreakingStream.Broken();
            });

        var thrown = await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.SendAsync(true, Chain.Post(content)));

        var call = thrown.GetHttpCall()!;
        call.Attempts.Count.ShouldBe(1);
        call.MayHaveBeenProcessed.ShouldBeTrue();
        using var good = await chain.GetAsync();
        ((int)good.StatusCode).ShouldBe(200);
    }

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

    private sealed class BreakingStream() : MemoryStream(new byte[200_000])
    {
        internal static HttpRequestException Broken() => new(HttpRequestError.ConnectionError, "The source is down.");

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            await destination.WriteAsync(new byte[10], cancellationToken);
            throw Broken();
        }
    }
}
