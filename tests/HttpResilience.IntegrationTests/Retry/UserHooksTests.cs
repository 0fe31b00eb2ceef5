using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Retry;

/// <summary>User hooks that send requests between two attempts with the same client, on a pool of one connection.</summary>
public sealed class UserHooksTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_conflict_is_resolved_with_the_state_that_the_same_client_fetches(bool async)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript()
            .Json(409, """{"title":"version 1 is not the current one"}""").Json(200, """{"version":2}""").Status(200),
            new() { KeepsConnections = true }, TestContext.Current.CancellationToken);
        await using var client = ClientOf(server, services => services.AddSingleton<IConflictResolver, TakesTheCurrentVersion>());

        using var request = new HttpRequestMessage(HttpMethod.Put, "invoices/1") { Content = JsonContent.Create(new { version = 1 }) };
        using var response = await SendAsync(client, request, async);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        server.Requests.Select(r => $"{r.Method} {r.Text}").ShouldBe(["PUT {\"version\":1}", "GET ", "PUT {\"version\":2}"]);
        server.Connections.ShouldBe(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_post_without_a_key_whose_response_was_lost_returns_the_reconciled_result(bool async)
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Reset().Json(200, """[{"id":"inv_1"}]"""), cancellationToken: TestContext.Current.CancellationToken);
        await using var client = ClientOf(server, services => services.AddSingleton<IReconciler, LooksForTheNumber>());

        using var request = new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = JsonContent.Create(new { number = 7 }) };
        using var response = await SendAsync(client, request.WithTag("number", 7), async);

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("""[{"id":"inv_1"}]""");
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Reconciled);
        server.Requests.Select(r => $"{r.Method} {r.Uri.PathAndQuery}").ShouldBe(["POST /invoices", "GET /invoices?number=7"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_post_without_a_key_that_had_no_effect_is_sent_again(bool async)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Status(500, "half done").Json(200, "[]").Status(201),
            cancellationToken: TestContext.Current.CancellationToken);
        await using var client = ClientOf(server, services => services.AddSingleton<IReconciler, LooksForTheNumber>());

        using var request = new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = JsonContent.Create(new { number = 7 }) };
        using var response = await SendAsync(client, request.WithTag("number", 7), async);

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        server.Requests.Select(r => r.Method.Method).ShouldBe(["POST", "GET", "POST"]);
    }

    private static ResilientClientUnderTest ClientOf(FaultServer server, Action<IServiceCollection> services) => new(
        server.Uri, o => o.Idempotency.Enabled = false, sockets => sockets.MaxConnectionsPerServer = 1,
        builder => services(builder.Services));

    private static async Task<HttpResponseMessage> SendAsync(ResilientClientUnderTest client, HttpRequestMessage request, bool async)
    {
        var token = TestContext.Current.CancellationToken;
        return await (async ? client.Client.SendAsync(request, token) : Task.Run(() => client.Client.Send(request, token), token))
            .WaitAsync(ResilientClientUnderTest.Hang, token);
    }

    private sealed class TakesTheCurrentVersion(IHttpClientFactory clients) : IConflictResolver
    {
        private readonly HttpClient _client = clients.CreateClient(ResilientClientUnderTest.Name);

        public async ValueTask<bool> ResolveAsync(
            HttpCall httpCall, HttpRequestMessage request, HttpResponseMessage conflict, CancellationToken cancellationToken)
        {
            var current = await _client.GetFromJsonAsync<Dictionary<string, int>>(request.RequestUri, cancellationToken);
            request.Content = JsonContent.Create(current);
            return true;
        }
    }

    private sealed class LooksForTheNumber(IHttpClientFactory clients) : IReconciler
    {
        private readonly HttpClient _client = clients.CreateClient(ResilientClientUnderTest.Name);

        public async ValueTask<HttpResponseMessage?> FindAsync(
            HttpCall httpCall, HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await _client.GetAsync(new Uri($"{request.RequestUri}?number={httpCall.Tags["number"]}"), cancellationToken);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadAsStringAsync(cancellationToken) == "[]" ? null : response;
        }
    }
}
