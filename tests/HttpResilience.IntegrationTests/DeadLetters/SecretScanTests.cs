using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.DeadLetters;

public sealed class SqliteSecretScanTests : SecretScanContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlSecretScanTests(PostgreSqlServer server) : SecretScanContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
