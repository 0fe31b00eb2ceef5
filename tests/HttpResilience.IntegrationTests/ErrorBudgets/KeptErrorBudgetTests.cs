using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.ErrorBudgets;

public sealed class SqliteErrorBudgetTests : KeptErrorBudgetContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override void UseNowhere(HttpResilienceStorageBuilder storage) =>
        storage.UseSqlite("Data Source=/no/such/directory/resilience.db");
}

public sealed class PostgreSqlErrorBudgetTests(PostgreSqlServer server) : KeptErrorBudgetContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    protected override void UseNowhere(HttpResilienceStorageBuilder storage) =>
        storage.UsePostgreSql("Host=127.0.0.1;Port=9;Username=nobody");
}
