using System.Net;
using System.Text.Json;
using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>No secret of a request reaches a log line, be it by our own hand or because the server says it back.</summary>
public sealed class SecretTests
{
    private static readonly string[] Secrets =
    [
        "bearer-s3cr3t+/x==", "cookie-s3cr3t", "apikey-s3cr3t", "own-s3cr3t", "word-s3cr3t", "query-s3cr3t", "nameless-s3cr3t",
        "encoded s3cr3t", "encoded%20s3cr3t",
        "user-s3cr3t", "pass-s3cr3t", "inner-s3cr3t", "default-s3cr3t",
    ];

    /// <summary>How the server says back what it was sent.</summary>
    public static TheoryData<string> Echoes =>
        ["nothing", "text", "json", "problem", "header", "exception", "inner exception", "stall", "reset", "open circuit"];

    [Theory, MemberData(nameof(Echoes))]
    public async Task No_secret_reaches_a_log_line(string echo) => await AssertSilentAsync(echo, async: true);

    [Fact]
    public async Task No_secret_reaches_a_log_line_of_a_sync_call() => await AssertSilentAsync("text", async: false);

    [Fact]
    public async Task Allowed_fields_are_logged()
    {
        using var chain = new Chain(o => o.Logging.AllowedQueryParameters = ["page"]);

        (await chain.SendAsync(true, Chain.Get("invoices?page=2&key=hidden"))).Dispose();

        chain.Logs.Call["Path"].ShouldBe("/invoices?page=2&key=***");
    }

    // The log shows the beginning of a body only: a secret that stands across the cut is still one.
    [Theory, InlineData(4), InlineData(9), InlineData(12)]
    public async Task A_secret_that_is_cut_off_in_the_middle_is_struck_out_too(int seen)
    {
        using var chain = new Chain(o => o.Logging.ErrorBodyBytes = 64);
        chain.Server.Script(Replies.Status(400, new string('.', 64 - seen) + "apikey-s3cr3t is not known"));
        var request = Chain.Get();
        request.Headers.Add("X-Api-Key", "apikey-s3cr3t");

        (await chain.SendAsync(true, request)).Dispose();

        chain.Logs.Call["ErrorBody"].ShouldBe(new string('.', 64 - seen) + "***");
    }

    [Fact]
    public async Task A_secret_that_is_no_text_does_not_break_the_call()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(400, "broken"));
        var request = Chain.Get("invoices?key=%ff%d8%00");
        request.Headers.TryAddWithoutValidation("X-Api-Key", "half a pair \ud800 and \udfff");

        using var response = await chain.SendAsync(true, request);

        chain.Logs.Call["ErrorBody"].ShouldBe("broken");
    }

    private static async Task AssertSilentAsync(string echo, bool async)
    {
        string[] all = [.. Secrets, Uri.EscapeDataString(Secrets[0])];
        string text = string.Join(' ', all);
        using var chain = new Chain(
            o =>
            {
                o.Logging.RedactedHeaders = ["X-Own"];
                o.CircuitBreaker.UseClassic().FailureThreshold = echo == "open circuit" ? 1 : null;
            },
            b => b.AddHttpMessageHandler(() => new AddsToken()).ConfigureHttpClient(
                c => c.DefaultRequestHeaders.Add("X-Auth-Token", "default-s3cr3t")));
        chain.Server.Script(echo switch
        {
            "nothing" => Replies.Status(200),
            "text" => Replies.Status(400, text),
            "json" => Replies.Status(400, JsonSerializer.Serialize(new { error = all }), "application/json"),
            "problem" => Replies.Status(503, JsonSerializer.Serialize(new { title = text, detail = text }), "application/problem+json"),
            "header" =>
                Replies.With(() => new(HttpStatusCode.InternalServerError) { ReasonPhrase = text, Headers = { { "X-Echo", text } } }),
            "exception" => Replies.Throws(() => new HttpRequestException(text)),
            "inner exception" => Replies.Throws(() => new HttpRequestException("outer", new InvalidOperationException(text))),
            "stall" => Replies.Stalls(),
            "reset" => Replies.Reset(),
            _ => Replies.Status(503),
        });

        await Record.ExceptionAsync(async () => (await chain.SendAsync(async, Request())).Dispose());

        chain.Server.Requests[0].Headers["Authorization"].ShouldContain(Secrets[0]);
        chain.Logs.Calls.Count.ShouldBe(1);
        string[] forms = [.. Secrets.Select(s => JsonEncodedText.Encode(s).ToString()), .. Secrets.Select(Uri.EscapeDataString), .. all];
        foreach (var entry in chain.Logs.Entries)
        {
            foreach (string secret in forms)
                entry.Everything.ShouldNotContain(secret, Case.Insensitive, $"after {echo}, event {entry.Id}");
        }
    }

    private static HttpRequestMessage Request()
    {
        var request = new HttpRequestMessage(
            HttpMethod.Get, "https://user-s3cr3t:pass-s3cr3t@api.test/invoices?api_key=query-s3cr3t&nameless-s3cr3t&q=encoded%20s3cr3t");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer bearer-s3cr3t+/x==");
        request.Headers.TryAddWithoutValidation("Cookie", "a=1; session=cookie-s3cr3t");
        request.Headers.Add("X-Api-Key", "apikey-s3cr3t");
        request.Headers.Add("X-Own", "own-s3cr3t");
        request.Headers.Add("X-Client-Secret-2", "word-s3cr3t");
        return request;
    }

    private sealed class AddsToken : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Add(request);
            return base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Add(request);
            return base.Send(request, cancellationToken);
        }

        private static void Add(HttpRequestMessage request) => request.Headers.TryAddWithoutValidation("X-Access-Token", "inner-s3cr3t");
    }
}
