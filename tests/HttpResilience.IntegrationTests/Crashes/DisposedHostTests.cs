using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>A host with every background service that is disposed without being stopped, as tests and short programs do.</summary>
public sealed class DisposedHostTests(PostgreSqlServer server)
{
    [Theory]
    [InlineData("none", 0), InlineData("memory", 0), InlineData("sqlite", 0), InlineData("postgres", 0)]
    [InlineData("memory", 200), InlineData("sqlite", 200), InlineData("postgres", 200)]
    public async Task A_host_that_is_disposed_without_being_stopped_reports_no_failure(string store, int afterMilliseconds)
    {
        await using TestDatabase? database = store switch
        {
            "memory" => new InMemoryTestDatabase(),
            "sqlite" => new SqliteTestDatabase(),
            "postgres" => await server.CreateDatabaseAsync(),
            _ => null,
        };
        var log = new LogCollector();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log);
        if (database is not null)
            database.AddTo(builder.Services).AddDeadLetterReplay();
        builder.Services.AddResilientHttpClient("orders", o => o.BaseAddress = new("https://api.test/"));
        builder.Services.AddHttpResilienceOperations();
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await Task.Delay(afterMilliseconds, TestContext.Current.CancellationToken);

        await ((IAsyncDisposable)host).DisposeAsync();

        log.Lines.Where(l => l.Level >= LogLevel.Error).Select(l => l.Text).ShouldBeEmpty();
    }
}
