using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.Crashes;

[Collection("Crashes on SQLite")]
public sealed class SqliteManyWorkersTests : ManyWorkersContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override Task ShouldBeSoundAsync() => SqliteCheck.ShouldBeSoundAsync(Database);
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlManyWorkersTests(PostgreSqlServer server) : ManyWorkersContract
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
