namespace HttpResilience.IntegrationTests.Storage;

[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlDeadLetterStoreTests(PostgreSqlServer server) : DeadLetterStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlDeadLetterQueryTests(PostgreSqlServer server) : DeadLetterQueryContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlDeadLetterClaimTests(PostgreSqlServer server) : DeadLetterClaimContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlIdempotencyStoreTests(PostgreSqlServer server) : IdempotencyStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlCheckpointStoreTests(PostgreSqlServer server) : CheckpointStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlStorageLifetimeTests(PostgreSqlServer server) : StorageLifetimeContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlFallbackStoreTests(PostgreSqlServer server) : FallbackStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlErrorBudgetStoreTests(PostgreSqlServer server) : ErrorBudgetStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[CollectionDefinition(nameof(PostgreSqlServer))]
public sealed class PostgreSqlTests : ICollectionFixture<PostgreSqlServer>;
