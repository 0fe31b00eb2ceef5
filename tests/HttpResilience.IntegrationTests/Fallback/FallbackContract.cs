using System.Net;
using System.Text;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Fallback;

/// <summary>A program that starts while the API is down, with real sockets and a real database.</summary>
public abstract class FallbackContract : IAsyncLifetime
{
    private const string Client = "invoices";

    private protected TestDatabase Database { get; private set; } = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract ValueTask<TestDatabase> CreateAsync();

    [Fact]
    public async Task A_restart_during_an_outage_loses_no_cached_response()
    {
        await using var server = await FaultServer.StartAsync(new FaultScript().Respond(request => new(HttpStatusCode.OK)
        {
            Content = new ByteArrayContent(
                Encoding.UTF8.GetBytes($"{request.Uri.AbsolutePath} for {request.Headers.GetValueOrDefault("X-User")}")),
        }), cancellationToken: Token);
        using (var first = await StartAsync(server.Uri))
        {
            for (int i = 0; i < 50; i++)
                (await GetAsync(first, $"invoices/{i}", "alice")).Text.ShouldBe($"/invoices/{i} for alice");
            await StopAsync(first);
        }

        await server.GoDownAsync();
        using var second = await StartAsync(server.Uri);

        for (int i = 0; i < 50; i++)
            (await GetAsync(second, $"invoices/{i}", "alice")).ShouldBe((true, $"/invoices/{i} for alice"));
        await Should.ThrowAsync<HttpRequestException>(() => GetAsync(second, "invoices/0", "bob"));
        await Should.ThrowAsync<HttpRequestException>(() => GetAsync(second, "invoices/50", "alice"));

        await server.ComeBackAsync(Token);
        (await GetAsync(second, "invoices/0", "alice")).ShouldBe((false, "/invoices/0 for alice"));
        await StopAsync(second);
    }

    [Fact]
    public async Task A_host_that_hangs_gets_a_cached_response_at_the_deadline_after_a_restart()
    {
        await using var server = await FaultServer.StartAsync(
            new FaultScript().Status(200, "seen").NeverAnswers(), cancellationToken: Token);
        using (var first = await StartAsync(server.Uri))
        {
            await GetAsync(first, "invoices/0", "alice");
            await StopAsync(first);
        }

        using var second = await StartAsync(
            server.Uri, o => (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (TimeSpan.FromSeconds(4), null));
        // The first query opens the database.
        await second.Services.GetRequiredService<IFallbackStore>().FindAsync("x", "x", "x", Token);
        long began = TimeProvider.System.GetTimestamp();

        (await GetAsync(second, "invoices/0", "alice")).ShouldBe((true, "seen"));

        // A little before the deadline, so that the stored response can be read. HttpClient.Timeout is a second after it.
        TimeProvider.System.GetElapsedTime(began).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(3.7));
        await StopAsync(second);
    }

    public async ValueTask InitializeAsync() => Database = await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private static async Task<(bool IsStale, string Text)> GetAsync(IHost host, string path, string user)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-User", user);
        using var response = await host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client).SendAsync(request, Token);
        response.EnsureSuccessStatusCode();
        return (response.GetHttpCall()!.IsStale, await response.Content.ReadAsStringAsync(Token));
    }

    private static async Task StopAsync(IHost host)
    {
        await host.StopAsync(Token);
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    private async Task<IHost> StartAsync(Uri uri, Action<HttpResilienceOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Database.Log);
        Database.AddTo(builder.Services);
        builder.Services.AddResilientHttpClient(Client, options =>
        {
            options.BaseAddress = uri;
            options.Fallback.Enabled = true;
            options.Retry.MaxRetryAttempts = 0;
            options.CircuitBreaker.BreakDuration = null;
            configure?.Invoke(options);
        });
        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }
}

public sealed class SqliteFallbackTests : FallbackContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlFallbackTests(PostgreSqlServer server) : FallbackContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
