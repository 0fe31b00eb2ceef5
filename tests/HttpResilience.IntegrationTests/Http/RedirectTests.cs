using Microsoft.AspNetCore.Http;

namespace HttpResilience.IntegrationTests;

/// <summary>A redirect is part of an attempt; the next attempt is what the application asked for.</summary>
public sealed class RedirectTests
{
    [Theory]
    [InlineData(Mode.Async, 307, "POST"), InlineData(Mode.Sync, 307, "POST")]
    [InlineData(Mode.Async, 308, "POST")]
    [InlineData(Mode.Async, 303, "GET"), InlineData(Mode.Sync, 303, "GET")]
    [InlineData(Mode.Async, 302, "GET")]
    public async Task A_post_that_fails_behind_a_redirect_is_sent_again_to_where_it_was_sent_first(Mode mode, int redirect, string followedBy)
    {
        await using var server = await KestrelServer.StartAsync(Redirect(redirect), Reply.Unavailable, Redirect(redirect), Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);
        var request = Sending.Post().WithIdempotencyKey("invoice-1");
        request.Headers.Add("X-Row", "5");

        using var response = await client.Client.SendAsync(mode, request);

        response.ShouldHaveSucceeded(attempts: 2);
        server.Requests.Select(r => $"{r.Method} {r.Target}").ShouldBe(["POST /invoices", $"{followedBy} /elsewhere", "POST /invoices", $"{followedBy} /elsewhere"]);
        var originals = server.Requests.Where(r => r.Target == "/invoices").ToArray();
        originals.ShouldAllBe(r => r.Text == "the body" && r.Key == "invoice-1" && r.Headers["X-Row"] == "5" && r.Headers["Content-Type"] == "text/plain; charset=utf-8");
        response.RequestMessage!.RequestUri!.AbsolutePath.ShouldBe("/elsewhere");
    }

    [Fact]
    public async Task Credentials_that_a_redirect_has_dropped_come_with_the_next_attempt()
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
    public async Task The_circuit_that_counts_is_that_of_the_host_that_was_asked()
    {
        await using var broken = await KestrelServer.StartAsync(Reply.Unavailable);
        await using var server = await KestrelServer.StartAsync(Redirect(307, new Uri(broken.Uri, "/elsewhere").ToString()));
        await using var client = new ResilientClientUnderTest(server.Uri, options => options.CircuitBreaker.FailureThreshold = 2);

        var exception = await client.Client.FailAsync<CircuitOpenException>(Mode.Async, Sending.Get());

        exception.Authority.ShouldBe(server.Uri.GetLeftPart(UriPartial.Authority));
        broken.Count.ShouldBe(2);
    }

    private static RequestDelegate Redirect(int status, string location = "/elsewhere") => Reply.With(status, "", ("Location", location));
}
