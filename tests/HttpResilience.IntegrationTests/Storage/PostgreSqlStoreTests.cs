namespace HttpResilience.IntegrationTests.Storage;

public sealed class PostgreSqlDeadLetterStoreTests(PostgreSqlServer server) : DeadLetterStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlDeadLetterQueryTests(PostgreSqlServer server) : DeadLetterQueryContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlDeadLetterClaimTests(PostgreSqlServer server) : DeadLetterClaimContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlIdempotencyStoreTests(PostgreSqlServer server) : IdempotencyStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlCheckpointStoreTests(PostgreSqlServer server) : CheckpointStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlStorageLifetimeTests(PostgreSqlServer server) : StorageLifetimeContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlFallbackStoreTests(PostgreSqlServer server) : FallbackStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlErrorBudgetStoreTests(PostgreSqlServer server) : ErrorBudgetStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
