using System.Text;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>What the log tells of the body of a failed response.</summary>
public sealed class ErrorBodyTests
{
    public static TheoryData<string, string, string> Bodies => new()
    {
        {
            "application/problem+json",
            """{"type":"about:blank","title":"Invalid","status":400,"detail":"VAT is missing"}""",
            "Invalid: VAT is missing"
        },
        { "application/problem+json", """{"detail":"VAT is missing"}""", "VAT is missing" },
        { "application/json; charset=utf-8", """{"title":"Invalid","errors":{"title":"not this","detail":["nor this"]}}""", "Invalid" },
        { "application/json", """{"title":{"detail":"nested"},"detail":5}""", """{"title":{"detail":"nested"},"detail":5}""" },
        { "application/json", """{"error":"no"}""", """{"error":"no"}""" },
        { "application/json", """["title","detail"]""", """["title","detail"]""" },
        { "application/json", "not json", "not json" },
        { "application/problem+json", """{"title":"Invalid","detail":"it goes o""", "Invalid" },
        { "application/problem+json", """{"title":"Inval""", """{"title":"Inval""" },
        { "text/plain", """{"title":"Invalid"}""", """{"title":"Invalid"}""" },
        { "text/html", "<h1>Bad Gateway</h1>", "<h1>Bad Gateway</h1>" },
        { "text/plain", "Gr\u00fc\u00dfe", "Gr\u00fc\u00dfe" },
    };

    [Theory, MemberData(nameof(Bodies))]
    public async Task The_log_tells_title_and_detail_of_a_problem_and_else_the_beginning(string type, string body, string told)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Content(400, () =>
        {
            var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            return content;
        }));

        (await chain.GetAsync()).Dispose();

        chain.Logs.Call["ErrorBody"].ShouldBe(told);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_is_logged_up_to_the_limit(bool seekable)
    {
        using var chain = new Chain(o => o.Logging.ErrorBodyBytes = 10);
        chain.Clock.SkipsWaits = false;
        byte[] body = Encoding.UTF8.GetBytes("0123456789abcdef");
        chain.Server.Script(Replies.Content(400, () => seekable ? new ByteArrayContent(body) : new WireStream(body).ToContent()));

        (await chain.GetAsync()).Dispose();

        chain.Logs.Call["ErrorBody"].ShouldBe("0123456789");
    }

    // The limit leaves title and detail readable that come before it.
    [Fact]
    public async Task A_problem_longer_than_the_limit_is_logged_up_to_the_limit()
    {
        using var chain = new Chain(o => o.Logging.ErrorBodyBytes = 64);
        chain.Server.Script(Replies.Status(
            400, $$"""{"title":"Invalid","detail":"VAT","trace":"{{new string('x', 5000)}}"}""", "application/problem+json"));

        (await chain.GetAsync()).Dispose();

        chain.Logs.Call["ErrorBody"].ShouldBe("Invalid: VAT");
    }

    [Fact]
    public async Task Nothing_is_read_when_nothing_is_wanted()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Logging:ErrorBodyBytes"] = "0" });
        var body = new WireStream([1, 2, 3]);
        chain.Server.Script(Replies.Content(400, () => body.ToContent()));

        using var response = await SendStreamedAsync(chain);

        chain.Logs.Call.Properties.Keys.ShouldNotContain("ErrorBody");
        body.Reads.ShouldBe(0);
    }

    [Fact]
    public async Task The_body_of_a_success_is_not_read()
    {
        using var chain = new Chain();
        var body = new WireStream([1, 2, 3]);
        chain.Server.Script(Replies.Content(200, () => body.ToContent()));

        using var response = await SendStreamedAsync(chain);

        chain.Logs.Call.Properties.Keys.ShouldNotContain("ErrorBody");
        body.Reads.ShouldBe(0);
    }

    [Fact]
    public async Task The_body_of_a_discarded_response_is_not_read()
    {
        using var chain = new Chain();
        var body = new WireStream([1, 2, 3]);
        chain.Server.Script(Replies.Content(503, () => body.ToContent()), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        body.Reads.ShouldBe(0);
        body.IsDisposed.ShouldBeTrue();
    }

    [Fact]
    public async Task An_empty_body_is_not_logged()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(400), Replies.Content(400, () => new WireStream([]).ToContent()));

        (await chain.GetAsync()).Dispose();
        (await chain.GetAsync()).Dispose();

        chain.Logs.Calls.ShouldAllBe(c => !c.Properties.ContainsKey("ErrorBody"));
    }

    private static Task<HttpResponseMessage> SendStreamedAsync(Chain chain) =>
        chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);
}
