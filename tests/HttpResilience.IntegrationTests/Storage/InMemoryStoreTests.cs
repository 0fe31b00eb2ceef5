namespace HttpResilience.IntegrationTests.Storage;

public sealed class InMemoryDeadLetterStoreTests : DeadLetterStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryDeadLetterQueryTests : DeadLetterQueryContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryDeadLetterGroupTests : DeadLetterGroupContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryLetterCommitTests : LetterCommitContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryClientPauseTests : ClientPauseContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());

    protected override Task<bool> OldProcessPausesAsync() => Task.FromResult(false);
}

public sealed class InMemoryBatchListTests : BatchListContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryLetterSearchTests : LetterSearchContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryDeadLetterClaimTests : DeadLetterClaimContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryIdempotencyStoreTests : IdempotencyStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryCheckpointStoreTests : CheckpointStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryStorageLifetimeTests : StorageLifetimeContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryFallbackStoreTests : FallbackStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryErrorBudgetStoreTests : ErrorBudgetStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryProtectedLetterTests : ProtectedLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}

public sealed class InMemoryIncidentStoreTests : IncidentStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new InMemoryTestDatabase());
}
