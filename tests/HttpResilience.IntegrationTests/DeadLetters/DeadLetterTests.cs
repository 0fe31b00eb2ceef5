using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.DeadLetters;

public sealed class SqliteDeadLetterTests : DeadLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlDeadLetterTests(PostgreSqlServer server) : DeadLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
