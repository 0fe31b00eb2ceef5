namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The stores in a schema of another name, one that SQL reserves.</summary>
public sealed class PostgreSqlSchemaNameTests(PostgreSqlServer server) : ApplicationsContract
{
    [Fact]
    public async Task Schemas_of_one_database_are_separate()
    {
        var own = (PostgreSqlTestDatabase)Database;
        await using var usual = new PostgreSqlTestDatabase(server, own.Name);
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(Noon), Stop);

        (await server.ScalarAsync<long>(own.Name, "SELECT count(*) FROM pg_namespace WHERE nspname = 'http_resilience'")).ShouldBe(0);
        (await usual.Open().DeadLetters.BacklogAsync(Stop)).ShouldBeEmpty();
        (await Database.Open().DeadLetters.BacklogAsync(Stop)).Count.ShouldBe(1);
        (await Database.Open().DeadLetters.PurgeAsync(Noon.AddDays(1), Stop)).ShouldBe(0);
    }

    [Fact]
    public async Task A_letter_of_the_schema_ends_a_wait_in_it_and_in_no_other()
    {
        await using var usual = new PostgreSqlTestDatabase(server, ((PostgreSqlTestDatabase)Database).Name);
        var (here, there) = (Database.Open().DeadLetters, usual.Open().DeadLetters);
        foreach (var store in new[] { here, there })
        {
            // The first wait ends when the store listens.
            await store.WaitForLettersAsync(TimeSpan.FromMinutes(1), Stop);
            await store.WaitForLettersAsync(TimeSpan.Zero, Stop);
        }

        var waiting = here.WaitForLettersAsync(TimeSpan.FromMinutes(1), Stop);
        var other = there.WaitForLettersAsync(TimeSpan.FromMinutes(1), Stop);
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(Noon), Stop);

        await waiting.WaitAsync(TimeSpan.FromSeconds(50), Stop);
        other.IsCompleted.ShouldBeFalse();
        await usual.Open().DeadLetters.AddAsync(Letters.Plain(Noon), Stop);
        await other;
    }

    [Fact]
    public async Task Letters_are_listed_changed_and_replaced_in_the_schema()
    {
        var store = Database.Open().DeadLetters;
        var letter = Letters.Full() with { Status = DeadLetterStatus.RequiresReview, Replaces = null };
        await store.AddAsync(letter, Stop);
        var replacement = Letters.Plain(Noon);

        (await store.UpdateAsync(letter with { Attempts = 9 }, Stop)).ShouldBeTrue();
        var changed = (await store.FindAsync(letter.Id, Stop))!;
        (await store.CommitAsync(
            new() { Changed = [changed with { Status = DeadLetterStatus.Resubmitted }], Added = [replacement] }, Stop)).ShouldBeTrue();

        (await store.ListAsync(new() { Limit = 10 }, Stop)).Select(l => l.Id).ShouldBe([letter.Id, replacement.Id], ignoreOrder: true);
        (await store.PurgeAsync(Noon.AddDays(3650), Stop)).ShouldBe(1);
        await Database.Open().IdempotencyKeys.PurgeAsync(Noon, Stop);
        await Database.Open().Fallbacks.PurgeAsync(Noon, Stop);
        await Database.Open().ErrorBudgets.PurgeAsync(Noon, Stop);
    }

    protected override async ValueTask<TestDatabase> CreateAsync() =>
        new PostgreSqlTestDatabase(server, ((PostgreSqlTestDatabase)await server.CreateDatabaseAsync()).Name) { Schema = "order" };
}
