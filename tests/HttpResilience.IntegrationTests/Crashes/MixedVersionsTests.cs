using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.Crashes;

[Collection("Crashes on SQLite")]
public sealed class SqliteMixedVersionsTests : MixedVersionsContract
{
    protected override bool IsPostgreSql => false;

    protected override string VersionSql => "PRAGMA user_version";

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override Task ShouldBeSoundAsync() => SqliteCheck.ShouldBeSoundAsync(Database);
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlMixedVersionsTests(PostgreSqlServer server) : MixedVersionsContract
{
    protected override bool IsPostgreSql => true;

    protected override string VersionSql => "SELECT version FROM schema_version";

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
