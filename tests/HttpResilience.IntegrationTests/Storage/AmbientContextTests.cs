using System.Transactions;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>PostgreSQL, whose connections would join a caller's transaction by themselves.</summary>
public sealed class PostgreSqlAmbientContextTests(PostgreSqlServer server) : AmbientContextContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Theory, InlineData("Enlist=true"), InlineData("Enlist=true;Pooling=false"), InlineData("Enlist=true;Max Auto Prepare=20")]
    public async Task A_connection_string_that_asks_for_it_does_not_make_letters_part_of_a_transaction(string more)
    {
        var store = Database.Open(connectionString: $"{Database.ConnectionString};{more}").DeadLetters;
        var (added, changed) = (Letters.Plain(), Letters.Plain());

        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await store.AddAsync(added, Stop);
            await store.AddAsync(changed, Stop);
            (await store.UpdateAsync(changed with { Status = DeadLetterStatus.Resolved }, Stop)).ShouldBeTrue();
            (await store.PurgeAsync(changed.LastFailedAt.AddDays(1), Stop)).ShouldBe(1);
        }

        (await Database.Open().DeadLetters.ListAsync(new(), Stop)).ShouldHaveSingleItem().Id.ShouldBe(added.Id);
    }

    [Fact]
    public async Task The_listener_starts_outside_the_transaction_of_the_first_wait()
    {
        var store = Database.Open().DeadLetters;
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
            await store.WaitForLettersAsync(TimeSpan.FromHours(1), Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var waiting = store.WaitForLettersAsync(TimeSpan.FromHours(1), Stop);

        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        await waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop);
        Database.Log.Lines.ShouldNotContain(l => l.EventId == 2);
    }

    private protected override async Task<(string First, string Later)> InBackgroundAsync(Func<string> look)
    {
        await using var database = PostgreSqlDatabase.From(Database.ConnectionString, PostgreSqlSchema.Current, TimeProvider.System);
        await using var writer = new PostgreSqlWriter(database, TimeProvider.System);
        return (await LookAsync(), await LookAsync());

        async Task<string> LookAsync()
        {
            string seen = "";
            await writer.RunAsync(() =>
            {
                seen = look();
                return new NpgsqlBatchCommand("SELECT 1");
            }, PostgreSqlWriter.HasRowAsync, notifies: false, Stop);
            return seen;
        }
    }
}

/// <summary>SQLite.</summary>
public sealed class SqliteAmbientContextTests : AmbientContextContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    private protected override async Task<(string First, string Later)> InBackgroundAsync(Func<string> look)
    {
        var database = SqliteDatabase.From(Database.ConnectionString, SqliteSchema.Current);
        await using var writer = new SqliteWriter(database, NullLogger.Instance);
        return (await writer.RunAsync(_ => look(), Stop), await writer.RunAsync(_ => look(), Stop));
    }
}
