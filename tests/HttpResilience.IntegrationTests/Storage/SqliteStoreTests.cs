namespace HttpResilience.IntegrationTests.Storage;

public sealed class SqliteDeadLetterStoreTests : DeadLetterStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteDeadLetterQueryTests : DeadLetterQueryContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteDeadLetterGroupTests : DeadLetterGroupContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteLetterCommitTests : LetterCommitContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteClientPauseTests : ClientPauseContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override async Task<bool> OldProcessPausesAsync() =>
        await Database.ScalarAsync("UPDATE error_budget_pauses SET changed_by = NULL, changed_at = changed_at + 1 RETURNING 1") is not null;
}

public sealed class SqliteBatchListTests : BatchListContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteLetterSearchTests : LetterSearchContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteDeadLetterClaimTests : DeadLetterClaimContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteIdempotencyStoreTests : IdempotencyStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteCheckpointStoreTests : CheckpointStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteStorageLifetimeTests : StorageLifetimeContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteFallbackStoreTests : FallbackStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteErrorBudgetStoreTests : ErrorBudgetStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteProtectedLetterTests : ProtectedLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class SqliteIncidentStoreTests : IncidentStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}
