using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary>What is sent again, and what cannot be.</summary>
public sealed class RequestBodyTests
{
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes("an invoice");

    public static TheoryData<string, HttpContent> Replayable => new()
    {
        { "bytes", new ByteArrayContent(Bytes) },
        { "text", new StringContent("an invoice") },
        { "memory", new ReadOnlyMemoryContent(Bytes) },
        { "json", JsonContent.Create("an invoice") },
        { "form", new FormUrlEncodedContent([new("an", "invoice")]) },
        { "parts", new MultipartContent("mixed", "border") { new StringContent("an invoice") } },
        { "seekable stream", new StreamContent(new MemoryStream(Bytes)) },
    };

    [Theory, MemberData(nameof(Replayable))]
    public async Task A_body_that_can_be_written_twice_is_sent_again_whole(string kind, HttpContent content)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.Reset(), Replies.Status(200));

        using var response = await chain.SendAsync(true, Chain.Post(content));

        ((int)response.StatusCode).ShouldBe(200, kind);
        chain.Server.Requests.Select(s => s.Text).Distinct().ShouldHaveSingleItem()!.ShouldContain("invoice");
        chain.Server.Requests.Count.ShouldBe(3);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_stream_that_cannot_be_read_twice_returns_the_failure_and_says_why_it_stopped(bool async)
    {
        using var chain = new Chain(o => o.Retry.MaxReplayBodyBytes = 0);
        chain.Server.Script(Replies.Status(503, "busy"), Replies.Status(200));

        using var response = await chain.SendAsync(async, Chain.Post(new StreamContent(new OneTimeStream(Bytes))));

        ((int)response.StatusCode).ShouldBe(503);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("busy");
        chain.Server.Requests.ShouldHaveSingleItem().Text.ShouldBe("an invoice");
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.BodyNotReplayable);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_stream_that_is_not_recorded_throws_the_failure_that_it_met()
    {
        using var chain = new Chain(o => o.Retry.MaxReplayBodyBytes = 0);
        chain.Server.Script(Replies.Reset(), Replies.Status(200));

        var thrown = await Assert.ThrowsAnyAsync<HttpRequestException>(
            () => chain.SendAsync(true, Chain.Post(new StreamContent(new OneTimeStream(Bytes)))));

        thrown.InnerException.ShouldBeOfType<IOException>();
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.BodyNotReplayable);
    }

    [Fact]
    public async Task A_body_that_was_refused_before_it_was_read_is_sent_after_all()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(200));
        int refused = 0;
        using var refusing = new Chain(client: b => b.AddHttpMessageHandler(() => new RefusesOnce(() => refused++ == 0)));

        using var response = await refusing.SendAsync(true, Chain.Post(new StreamContent(new OneTimeStream(Bytes))));

        ((int)response.StatusCode).ShouldBe(200);
        refusing.Server.Requests.ShouldHaveSingleItem().Text.ShouldBe("an invoice");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_of_known_length_is_kept_when_it_fits(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.Status(200));
        var content = new StreamContent(new OneTimeStream(Bytes)) { Headers = { ContentLength = Bytes.Length } };

        using var response = await chain.SendAsync(async, Chain.Post(content));

        ((int)response.StatusCode).ShouldBe(200);
        chain.Server.Requests.Select(s => s.Text).ShouldBe(["an invoice", "an invoice"]);
    }

    [Theory, InlineData(10, 2), InlineData(9, 1)]
    public async Task A_body_of_known_length_is_streamed_once_when_it_does_not_fit(int limit, int attempts)
    {
        using var chain = new Chain(o => o.Retry.MaxReplayBodyBytes = limit);
        chain.Server.Script(Replies.Status(503), Replies.Status(200));
        var content = new StreamContent(new OneTimeStream(Bytes)) { Headers = { ContentLength = Bytes.Length } };

        using var response = await chain.SendAsync(true, Chain.Post(content));

        chain.Server.Requests.Count.ShouldBe(attempts);
        chain.Server.Requests.ShouldAllBe(s => s.Text == "an invoice");
    }

    private sealed class RefusesOnce(Func<bool> refuses) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => refuses()
            ? throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused")
            : base.SendAsync(request, cancellationToken);
    }

    private sealed class OneTimeStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
