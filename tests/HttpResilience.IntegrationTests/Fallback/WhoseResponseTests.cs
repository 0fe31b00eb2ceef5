using System.Net;

namespace HttpResilience.IntegrationTests.Fallback;

/// <summary>Changes of the platform's primary handler to a request do not mix up the callers of cached responses.</summary>
public sealed class WhoseResponseTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_redirect_that_drops_the_credentials_does_not_make_the_response_shared()
    {
        bool isDown = false;
        await using var server = await FaultServer.StartAsync(new FaultScript().Decide(request => isDown ? Outcome.Status(503)
            : request.Uri.AbsolutePath == "/me"
            ? Outcome.Status(302, headers: ("Location", $"/users/{request.Headers["Authorization"]["Bearer ".Length..]}"))
            : Outcome.Status(200, request.Uri.AbsolutePath)), cancellationToken: Token);
        await using var client = Client(server.Uri);
        (await AskAsync(client, "me", "alice")).ShouldBe((false, "/users/alice"));
        isDown = true;

        (await AskAsync(client, "me", "bob")).ShouldBeNull();
        (await AskAsync(client, "me", null)).ShouldBeNull();
        (await AskAsync(client, "users/alice", null)).ShouldBeNull();
        (await AskAsync(client, "me", "alice")).ShouldBe((true, "/users/alice"));
    }

    [Fact]
    public async Task A_session_cookie_of_the_primary_handler_is_part_of_the_caller()
    {
        bool isDown = false;
        await using var server = await FaultServer.StartAsync(new FaultScript().Decide(request => isDown ? Outcome.Status(503)
            : Outcome.Status(200, request.Headers.GetValueOrDefault("Cookie") ?? "nobody")), cancellationToken: Token);
        var cookies = new CookieContainer();
        await using var client = Client(server.Uri, sockets: h => (h.UseCookies, h.CookieContainer) = (true, cookies));
        (await AskAsync(client, "me", null)).ShouldBe((false, "nobody"));
        cookies.Add(server.Uri, new Cookie("session", "alice"));
        (await AskAsync(client, "me", null)).ShouldBe((false, "session=alice"));
        isDown = true;

        (await AskAsync(client, "me", null)).ShouldBe((true, "session=alice"));
        cookies.SetCookies(server.Uri, "session=bob");
        (await AskAsync(client, "me", null)).ShouldBeNull();
        cookies.SetCookies(server.Uri, "session=; expires=Thu, 01 Jan 1970 00:00:00 GMT");
        (await AskAsync(client, "me", null)).ShouldBe((true, "nobody"));
    }

    [Fact]
    public async Task Automatic_decompression_does_not_prevent_a_fallback_for_an_open_circuit()
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(200, "seen").Status(503), cancellationToken: Token);
        await using var client = Client(
            server.Uri, o => o.CircuitBreaker.UseClassic().FailureThreshold = 1, h => h.AutomaticDecompression = DecompressionMethods.All);
        await AskAsync(client, "me", "alice");
        (await AskAsync(client, "me", "alice")).ShouldBe((true, "seen"));

        (await AskAsync(client, "me", "alice")).ShouldBe((true, "seen"));

        server.RequestCount.ShouldBe(2);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Credentials_that_the_primary_handler_adds_are_part_of_the_caller_unless_they_are_shared(bool areShared)
    {
        bool isDown = false;
        await using var server = await FaultServer.StartAsync(new FaultScript().Decide(request => isDown ? Outcome.Status(503)
            : request.Headers.ContainsKey("Authorization") ? Outcome.Status(200, "alice's")
            : Outcome.Status(401, headers: ("WWW-Authenticate", "Basic realm=\"x\""))), cancellationToken: Token);
        await using var client = Client(
            server.Uri, o => o.Fallback.CredentialsAreShared = areShared, h => h.Credentials = new NetworkCredential("alice", "x"));
        (await AskAsync(client, "me", null)).ShouldBe((false, "alice's"));
        isDown = true;

        // A 503 asks for no credentials, so the caller stays unknown.
        (await AskAsync(client, "me", null)).ShouldBe(areShared ? (true, "alice's") : null);
    }

    private static ResilientClientUnderTest Client(
        Uri uri, Action<HttpResilienceOptions>? configure = null, Action<SocketsHttpHandler>? sockets = null) => new(uri, o =>
    {
        (o.Fallback.Enabled, o.Retry.MaxRetryAttempts) = (true, 0);
        configure?.Invoke(o);
    }, sockets);

    private static async Task<(bool IsStale, string Text)?> AskAsync(ResilientClientUnderTest client, string path, string? user)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (user is not null)
            request.Headers.Authorization = new("Bearer", user);
        try
        {
            using var response = await client.Client.SendAsync(request, Token);
            return response.IsSuccessStatusCode ? (response.GetHttpCall()!.IsStale, await response.Content.ReadAsStringAsync(Token)) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
