namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Counts that a newer version has stored do not prevent loading the others.</summary>
public abstract class UnreadableCountContract : StorageContract
{
    [Fact]
    public async Task Counts_of_an_unknown_failure_class_are_skipped()
    {
        var store = Database.Open().ErrorBudgets;
        ErrorBudgetCount[] counts =
            [new("billing", "1.0", Noon, FailureClass.None, 1), new("billing", "1.0", Noon, FailureClass.Conflict, 2)];
        await store.AddAsync(new(Guid.NewGuid(), 1, Noon, counts), Stop);
        await Database.ScalarAsync("UPDATE error_budget_counts SET failure_class = 'Quantum' WHERE failure_class = 'Conflict'");

        (await store.LoadAsync("billing", Noon, Stop)).ShouldBe([counts[0]]);
    }
}

public sealed class SqliteUnreadableCountTests : UnreadableCountContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlUnreadableCountTests(PostgreSqlServer server) : UnreadableCountContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
