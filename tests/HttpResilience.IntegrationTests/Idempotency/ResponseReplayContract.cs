using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Idempotency;

/// <summary>Replayed responses over real sockets and a real database, by hosts that share nothing else.</summary>
public abstract class ResponseReplayContract : IAsyncLifetime
{
    private const string Client = "invoices";

    private protected TestDatabase Database { get; private set; } = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract ValueTask<TestDatabase> CreateAsync();

    [Fact]
    public async Task A_completed_call_is_answered_from_the_store_in_the_next_process()
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(201, "{\"id\":7}", headers: [("Location", "/invoices/7"), ("Set-Cookie", "session=1")]),
            cancellationToken: Token);
        using var first = await StartAsync(server);
        (await PostAsync(first, "comp1:1", "invoice 1")).Dispose();
        await first.StopAsync(Token);

        using var second = await StartAsync(server);
        using var response = await PostAsync(second, "comp1:1", "invoice 1");

        (response.StatusCode, response.ReasonPhrase, await response.Content.ReadAsStringAsync(Token)).ShouldBe(
            (HttpStatusCode.Created, "Created", "{\"id\":7}"));
        (response.Headers.Location!.ToString(), response.Headers.Contains("Set-Cookie"), response.Content.Headers.ContentLength).ShouldBe(
            ("/invoices/7", false, 8));
        response.GetHttpCall()!.IsReplayed.ShouldBeTrue();
        server.RequestCount.ShouldBe(1);
        await Should.ThrowAsync<IdempotencyKeyReusedException>(() => PostAsync(second, "comp1:1", "invoice 2"));
        await second.StopAsync(Token);
    }

    [Fact]
    public async Task One_of_many_concurrent_calls_in_two_processes_is_sent_and_all_get_its_response()
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(201, "done").Delayed(TimeSpan.FromMilliseconds(300)), cancellationToken: Token);
        IHost[] hosts = [await StartAsync(server), await StartAsync(server)];

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => PostAsync(hosts[i % 2], "comp1:1", "invoice 1")));

        server.RequestCount.ShouldBe(1);
        foreach (var response in responses)
            (response.StatusCode, await response.Content.ReadAsStringAsync(Token)).ShouldBe((HttpStatusCode.Created, "done"));
        responses.Count(r => r.GetHttpCall()!.IsReplayed).ShouldBe(19);
        foreach (var host in hosts)
        {
            await host.StopAsync(Token);
            host.Dispose();
        }
    }

    [Theory, InlineData(UnsafeMethods.WhenKeyed, true), InlineData(UnsafeMethods.Never, false)]
    public async Task An_interrupted_call_is_sent_again_only_where_the_API_honours_keys(UnsafeMethods unsafeMethods, bool isSent)
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Reset().Status(201), cancellationToken: Token);
        using var host = await StartAsync(server, unsafeMethods);
        await Should.ThrowAsync<HttpRequestException>(() => PostAsync(host, "comp1:1", "invoice 1"));

        var again = PostAsync(host, "comp1:1", "invoice 1");

        if (isSent)
            (await again).StatusCode.ShouldBe(HttpStatusCode.Created);
        else
            (await Should.ThrowAsync<IdempotencyKeyInDoubtException>(() => again)).IdempotencyKey.ShouldBe("comp1:1");
        server.Requests.Select(r => r.IdempotencyKey).ShouldBe(Enumerable.Repeat("comp1:1", isSent ? 2 : 1));
        await host.StopAsync(Token);
    }

    public async ValueTask InitializeAsync() => Database = await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private static Task<HttpResponseMessage> PostAsync(IHost host, string key, string body) =>
        host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client)
            .SendAsync(
                new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = new StringContent(body) }.WithIdempotencyKey(key), Token);

    private async Task<IHost> StartAsync(FaultServer server, UnsafeMethods unsafeMethods = UnsafeMethods.WhenKeyed)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(Database.Log);
        Database.AddTo(builder.Services);
        builder.Services.AddResilientHttpClient(Client, options =>
        {
            options.BaseAddress = server.Uri;
            options.Idempotency.RememberFor = TimeSpan.FromDays(7);
            options.Retry.UnsafeMethods = unsafeMethods;
            options.Retry.MaxRetryAttempts = 0;
            options.CircuitBreaker.BreakDuration = null;
        });
        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }
}

public sealed class SqliteResponseReplayTests : ResponseReplayContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlResponseReplayTests(PostgreSqlServer server) : ResponseReplayContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
