using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

public sealed class PostgreSqlDeadLetterStoreTests(PostgreSqlServer server) : DeadLetterStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlDeadLetterQueryTests(PostgreSqlServer server) : DeadLetterQueryContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlDeadLetterGroupTests(PostgreSqlServer server) : DeadLetterGroupContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlLetterCommitTests(PostgreSqlServer server) : LetterCommitContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlClientPauseTests(PostgreSqlServer server) : ClientPauseContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    protected override async Task<bool> OldProcessPausesAsync() =>
        await Database.ScalarAsync(
            "UPDATE error_budget_pauses SET changed_by = NULL, changed_at = changed_at + interval '1 second' RETURNING 1") is not null;
}

public sealed class PostgreSqlBatchListTests(PostgreSqlServer server) : BatchListContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlLetterSearchTests(PostgreSqlServer server) : LetterSearchContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlDeadLetterClaimTests(PostgreSqlServer server) : DeadLetterClaimContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlIdempotencyStoreTests(PostgreSqlServer server) : IdempotencyStoreContract
{
    private const string TakenOver =
        "UPDATE remembered_calls SET owner = '00000000-0000-0000-0000-000000000001', lease_until = '2031-01-01Z', status_code = NULL, "
        + "expires_at = NULL";

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Theory]
    [InlineData("abandoned", TakenOver, "another owner")]
    [InlineData("expired", TakenOver, "another owner")]
    [InlineData("abandoned", "UPDATE remembered_calls SET status_code = 201, headers = '[]', body = ''", "a response")]
    [InlineData("abandoned", "DELETE FROM remembered_calls", "the caller")]
    [InlineData("expired", "DELETE FROM remembered_calls", "the caller")]
    public async Task A_caller_that_waited_for_another_sees_what_the_other_did(string before, string change, string seen)
    {
        var first = new RememberedRequest("billing", "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
        var store = Database.Open().IdempotencyKeys;
        await store.BeginAsync(first, Stop);
        if (before == "expired")
            await store.CompleteAsync(first, new(200, null, [], default), Noon.AddMinutes(1), Stop);
        var second = first with { Owner = Guid.NewGuid(), Now = Noon.AddMinutes(1), LeaseUntil = Noon.AddMinutes(2) };

        var call = await WhileAnotherChangesAsync(change, () => store.BeginAsync(second, Stop));

        (call.Owner == second.Owner ? "the caller" : call.Response is not null ? "a response" : "another owner").ShouldBe(seen);
        call.Owner.ShouldNotBe(change == TakenOver ? first.Owner : Guid.Empty);
        call.IsInDoubt.ShouldBeFalse();
        call.Response?.StatusCode.ShouldBe(201);
    }

    private async Task<T> WhileAnotherChangesAsync<T>(string change, Func<Task<T>> act)
    {
        await using var connection = new NpgsqlConnection($"{Database.ConnectionString};Pooling=false;Search Path=http_resilience");
        await connection.OpenAsync(Stop);
        await using var transaction = await connection.BeginTransactionAsync(Stop);
        await using (var command = new NpgsqlCommand(change, connection, transaction))
            await command.ExecuteNonQueryAsync(Stop);
        var acting = act();
        while (await Database.ScalarAsync(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") is null)
            await Task.Delay(10, Stop);
        await transaction.CommitAsync(Stop);
        return await acting;
    }
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

public sealed class PostgreSqlProtectedLetterTests(PostgreSqlServer server) : ProtectedLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

public sealed class PostgreSqlIncidentStoreTests(PostgreSqlServer server) : IncidentStoreContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
