using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.Alerts;

public sealed class SqliteSharedAlertsTests : SharedAlertsContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override Task<IAsyncDisposable> StopStoreAsync()
    {
        string directory = ((SqliteTestDatabase)Database).Directory;
        Directory.Move(directory, $"{directory}.gone");
        return Task.FromResult<IAsyncDisposable>(new Ending(() =>
        {
            Directory.Move($"{directory}.gone", directory);
            return Task.CompletedTask;
        }));
    }
}

public sealed class PostgreSqlSharedAlertsTests(PostgreSqlServer server) : SharedAlertsContract, IClassFixture<PostgreSqlServer>
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    protected override async Task<IAsyncDisposable> StopStoreAsync()
    {
        await server.StopAsync();
        return new Ending(server.StartAsync);
    }
}

internal sealed class Ending(Func<Task> end) : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await end();
}
