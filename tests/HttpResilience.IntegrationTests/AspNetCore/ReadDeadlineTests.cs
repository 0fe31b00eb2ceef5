using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>Reads of the API end after 2 seconds, here and in the store.</summary>
public sealed class ReadDeadlineTests(PostgreSqlServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_that_takes_too_long_is_503_and_the_store_is_told_to_give_up()
    {
        int givenUp = 0;
        var storage = new InMemoryStorage();
        await using var host = await ApiHost.StartAsync(s => s.AddHttpResilienceStorage(b => b.UseInMemory(storage)));
        storage.Intercept = async (operation, _) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, operation.CancellationToken);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref givenUp);
                throw;
            }
        };
        string[] reads =
        [
            "letters", "letters?text=x", $"letters/{Guid.NewGuid()}", $"letters/{Guid.NewGuid()}/body", "letters/purge?settledBefore=30d",
            "groups", "counts", "unreplayed", "jobs", $"jobs/{Guid.NewGuid()}", "activity", "instances", "circuits",
            "clients/unknown",
        ];

        var answers = await Task.WhenAll(reads.Select(read => host.GetAsync(read, ApiHost.Operator))
            .Append(host.PostAsync("letters/purge", """{"settledBefore":"30d","count":1}""")));

        foreach (var answer in answers)
        {
            answer.ShouldBeProblem(HttpStatusCode.ServiceUnavailable)["title"]!.GetValue<string>()
                .ShouldBe("It could not be read or counted in 2 s. Nothing was done.");
        }

        givenUp.ShouldBe(reads.Length + 1);
        (await host.GetAsync("clients")).ShouldBe(HttpStatusCode.OK).Text.ShouldContain("the store does not answer");
    }

    [Fact]
    public async Task A_read_of_SQLite_that_is_cancelled_ends_and_frees_its_connection()
    {
        await using var database = new SqliteTestDatabase();
        await database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await using var readers = new SqliteReaders(SqliteDatabase.From(database.ConnectionString, SqliteSchema.Current));
        const string Endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

        // As many as there are connections.
        for (int i = 0; i < 4; i++)
        {
            using var over = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            await Should.ThrowAsync<OperationCanceledException>(() => readers.RunAsync(s => s.Scalar<long>(Endless), over.Token));
        }

        var read = readers.RunAsync(s => s.Scalar<long>("SELECT count(*) FROM dead_letters"), Stop);
        (await read.WaitAsync(ResilientClientUnderTest.Hang, Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task A_read_that_waits_for_a_lock_of_PostgreSQL_ends_there_too()
    {
        await using var database = await server.CreateDatabaseAsync();
        await database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await using var host = await ApiHost.StartAsync(services => database.AddTo(services));
        await using var connection = new NpgsqlConnection($"{database.ConnectionString};Pooling=false");
        await connection.OpenAsync(Stop);
        await using (var locking = await connection.BeginTransactionAsync(Stop))
        {
            await ExecuteAsync("LOCK TABLE http_resilience.dead_letters IN ACCESS EXCLUSIVE MODE");

            (await host.GetAsync("groups")).ShouldBeProblem(HttpStatusCode.ServiceUnavailable);

            (await ExecuteAsync("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event_type = 'Lock'")).ShouldBe(0L);
        }

        (await host.GetAsync("groups")).ShouldBe(HttpStatusCode.OK).Json["groups"]!.AsArray().Count.ShouldBe(1);

        async Task<object?> ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync(Stop);
        }
    }
}
