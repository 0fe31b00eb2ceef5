using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using HttpResilience.Tests.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Hedging;

public sealed class HedgedRequestTests
{
    public static TheoryData<string> Bodies =>
        ["string", "bytes", "json", "form", "multipart", "seekable stream", "stream of known length", "one-way stream",
            "json of an iterator"];

    [Theory, MemberData(nameof(Bodies))]
    public async Task Each_request_carries_the_whole_body_and_its_headers(string kind)
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Hangs(), Replies.Status(201));
        using var expected = Body(kind);
        string text = await expected.ReadAsStringAsync(TestContext.Current.CancellationToken);
        using var content = Body(kind);
        content.Headers.ContentLanguage.Add("da");

        var sending = chain.SendAsync(true, Chain.Post(content));
        await chain.PassDelayAsync();
        (await sending).Dispose();

        chain.Server.Requests.Select(s => s.Text).ShouldBe([text, text]);
        chain.Server.Requests.ShouldAllBe(
            s => s.Headers["Content-Language"] == "da" && s.Headers["Content-Type"] == content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task A_body_that_is_not_recorded_goes_out_once()
    {
        using var chain = HedgedChain.Create(o => o.Retry.MaxReplayBodyBytes = 3);
        chain.Server.Script(HedgedChain.WhenNotCancelled(HedgedChain.Answer()));
        using var caller = new CancellationTokenSource();

        var sending = chain.SendAsync(true, Chain.Post(new StreamContent(new OneShotStream("once"u8.ToArray()))), caller.Token);
        await chain.SentAsync(1);
        chain.Clock.Advance(TimeSpan.FromSeconds(20));
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);

        chain.Server.Requests.ShouldHaveSingleItem().Text.ShouldBe("once");
    }

    [Theory, InlineData("json"), InlineData("seekable stream")]
    public async Task A_body_too_long_to_keep_is_not_hedged_but_retried(string kind)
    {
        using var chain = HedgedChain.Create(o => o.Retry.MaxReplayBodyBytes = 4);
        chain.Clock.SkipsWaits = true;
        chain.Server.Script(Replies.Status(503), Replies.Status(201));

        using var response = await chain.SendAsync(true, Chain.Post(Body(kind)));

        ((int)response.StatusCode).ShouldBe(201);
        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 1]);
        chain.Server.Requests.Select(s => s.Text).Distinct().ShouldHaveSingleItem().ShouldNotBeNull().Length.ShouldBeGreaterThan(4);
    }

    [Fact]
    public async Task Each_request_is_a_message_of_its_own_with_all_that_the_callers_has()
    {
        var seen = new List<HttpRequestMessage>();
        using var chain = HedgedChain.Create(client: builder => builder.AddHttpMessageHandler(() => new Inner(seen.Add)));
        chain.Server.Script(Replies.Hangs(), Replies.Status(200));
        using var request = Chain.Get();
        request.Version = new(2, 0);
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrHigher;
        request.Headers.Accept.ParseAdd("text/csv");
        request.Headers.TryAddWithoutValidation("X-Two", ["1", "2"]);
        request.Options.Set(new HttpRequestOptionsKey<string>("mine"), "kept");

        var sending = chain.SendAsync(true, request);
        await chain.PassDelayAsync();
        (await sending).Dispose();

        seen.Append(request).Distinct().Count().ShouldBe(3);
        seen.ShouldAllBe(
            r => r.Version == request.Version && r.VersionPolicy == request.VersionPolicy && r.RequestUri == request.RequestUri);
        seen.ShouldAllBe(r => r.Options.Contains(new("mine", "kept")));
        chain.Server.Requests.ShouldAllBe(s => s.Headers["Accept"] == "text/csv" && s.Headers["X-Two"] == "1, 2");
    }

    [Fact]
    public async Task Additions_of_inner_handlers_stay_with_their_request()
    {
        int number = 0;
        using var chain = HedgedChain.Create(client: builder => builder.AddHttpMessageHandler(() => new Inner(request =>
        {
            request.Headers.Add("X-Number", $"{Interlocked.Increment(ref number)}");
            request.Content!.Headers.Add("X-Body-Number", request.Headers.GetValues("X-Number"));
        })));
        chain.Server.Script(Replies.Hangs(), Replies.Status(200));
        using var request = Chain.Post();

        var sending = chain.SendAsync(true, request);
        await chain.PassDelayAsync();
        (await sending).Dispose();

        chain.Server.Requests.Select(s => (s.Headers["X-Number"], s.Headers["X-Body-Number"])).ShouldBe([("1", "1"), ("2", "2")]);
        request.Headers.Contains("X-Number").ShouldBeFalse();
        request.Content!.Headers.Contains("X-Body-Number").ShouldBeFalse();
    }

    [Fact]
    public async Task The_callers_request_learns_where_a_redirect_has_led()
    {
        using var chain = HedgedChain.Create(client: builder => builder.AddHttpMessageHandler(() => new Inner(request =>
            request.RequestUri = new("https://elsewhere.test/"))));
        using var request = Chain.Get();

        using var response = await chain.SendAsync(true, request);

        response.RequestMessage.ShouldBeSameAs(request);
        request.RequestUri.ShouldBe(new("https://elsewhere.test/"));
    }

    private static HttpContent Body(string kind)
    {
        string text = "{\"number\":1,\"receiver\":\"Ærø Møller\"}";
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return kind switch
        {
            "string" => new StringContent(text),
            "bytes" => WithType(new ByteArrayContent(bytes)),
            "json" => JsonContent.Create(new { number = 1, receiver = "Ærø Møller" }),
            "form" => new FormUrlEncodedContent([new("number", "1")]),
            "multipart" =>
                new MultipartContent("mixed", "boundary") { new StringContent(text), new StreamContent(new MemoryStream(bytes)) },
            "one-way stream" => WithType(new StreamContent(new OneShotStream(bytes))),
            "json of an iterator" => JsonContent.Create(text.Split(',').Select(part => part)),
            "seekable stream" => WithType(new StreamContent(new MemoryStream(bytes))),
            _ => WithLength(WithType(new StreamContent(new OneShotStream(bytes))), bytes.Length),
        };
    }

    private static HttpContent WithType(HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    private static HttpContent WithLength(HttpContent content, long length)
    {
        content.Headers.ContentLength = length;
        return content;
    }

    private sealed class Inner(Action<HttpRequestMessage> see) : DelegatingHandler
    {
        private readonly Lock _gate = new();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            lock (_gate)
                see(request);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
