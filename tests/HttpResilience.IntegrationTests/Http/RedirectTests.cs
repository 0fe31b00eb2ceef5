using Microsoft.AspNetCore.Http;

namespace HttpResilience.IntegrationTests;

/// <summary>A redirect is part of an attempt; the next attempt starts with the original request.</summary>
public sealed class RedirectTests
{
    [Theory]
    [InlineData(Mode.Async, 307, "POST"), InlineData(Mode.Sync, 307, "POST")]
    [InlineData(Mode.Async, 308, "POST")]
    [InlineData(Mode.Async, 303, "GET"), InlineData(Mode.Sync, 303, "GET")]
    [InlineData(Mode.Async, 302, "GET")]
    public async Task A_post_that_fails_after_a_redirect_is_sent_again_to_the_original_address(Mode mode, int redirect, string followedBy)
    {
        await using var server = await KestrelServer.StartAsync(Redirect(redirect), Reply.Unavailable, Redirect(redirect), Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);
        var request = Sending.Post().WithIdempotencyKey("invoice-1");
        request.Headers.Add("X-Row", "5");

        using var response = await client.Client.SendAsync(mode, request);

        response.ShouldHaveSucceeded(attempts: 2);
        server.Requests.Select(r => $"{r.Method} {r.Target}").ShouldBe(
            ["POST /invoices", $"{followedBy} /elsewhere", "POST /invoices", $"{followedBy} /elsewhere"]);
        var originals = server.Requests.Where(r => r.Target == "/invoices").ToArray();
        originals.ShouldAllBe(r => r.Text == "the body"
            && r.Key == "invoice-1" && r.Headers["X-Row"] == "5" && r.Headers["Content-Type"] == "text/plain; charset=utf-8");
        response.RequestMessage!.RequestUri!.AbsolutePath.ShouldBe("/elsewhere");
    }

    [Fact]
    public async Task Credentials_dropped_by_a_redirect_are_sent_with_the_next_attempt()
    {
        await using var server = await KestrelServer.StartAsync(Redirect(307), Reply.Unavailable, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);
        var request = Sending.Get("/secret");
        request.Headers.Authorization = new("Bearer", "abcdef");

        using var response = await client.Client.SendAsync(Mode.Async, request);

        response.ShouldHaveSucceeded(attempts: 2);
        server.Requests.Select(r => r.Headers.GetValueOrDefault("Authorization")).ShouldBe(["Bearer abcdef", null, "Bearer abcdef"]);
    }

    [Fact]
    public async Task The_log_has_the_original_request()
    {
        await using var server = await KestrelServer.StartAsync(Redirect(303), Reply.With(404), Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Post());

        var line = client.Log.Calls.ShouldHaveSingleItem();
        line["Method"].ShouldBe("POST");
        line["Path"].ShouldBe("/invoices");
        line["StatusCode"].ShouldBe(404);
    }

    [Fact]
    public async Task Secrets_dropped_by_a_redirect_are_not_logged()
    {
        await using var server = await KestrelServer.StartAsync(
            Redirect(303), Reply.With(400, "no invoice for token abcdef and key 0123456789"));
        await using var client = new ResilientClientUnderTest(server.Uri);
        var request = new HttpRequestMessage(HttpMethod.Post, "/invoices?key=0123456789");
        request.Headers.Authorization = new("Bearer", "abcdef");

        using var response = await client.Client.SendAsync(Mode.Async, request);

        var line = client.Log.Calls.ShouldHaveSingleItem();
        line.Text.ShouldContain("no invoice for token *** and key ***");
        line.Properties.ShouldAllBe(p => !$"{p.Value}".Contains("abcdef") && !$"{p.Value}".Contains("0123456789"));
    }

    private static RequestDelegate Redirect(int status, string location = "/elsewhere") => Reply.With(status, "", ("Location", location));
}
