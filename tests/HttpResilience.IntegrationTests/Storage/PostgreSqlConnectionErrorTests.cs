using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// Errors of the connection are distinguished from errors of a statement: the connection is closed, and the statement is sent again.
/// </summary>
public sealed class PostgreSqlConnectionErrorTests(PostgreSqlServer server) : StorageContract
{
    private PostgreSqlTestDatabase Own => (PostgreSqlTestDatabase)Database;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Theory]
    [InlineData("25006")]
    [InlineData("26000")]
    [InlineData("42P05")]
    [InlineData("08P01")]
    [InlineData("0A000")]
    [InlineData("57P01")]
    [InlineData("57P02")]
    [InlineData("57P03")]
    [InlineData("57P04")]
    [InlineData("57P05")]
    [InlineData("08006")]
    [InlineData("34000")]
    [InlineData("25P02")]
    [InlineData("25001")]
    [InlineData("25P03")]
    [InlineData("25P04")]
    public async Task An_error_of_the_connection_gives_it_up_and_is_tried_again(string sqlState)
    {
        await using var database = PostgreSqlDatabase.From(Database.ConnectionString, PostgreSqlSchema.Current, new UnlimitedRetryTime());
        await FailTwiceAsync(database, sqlState);
        int before = await SessionAsync(database);
        await using var writer = new PostgreSqlWriter(database, new UnlimitedRetryTime());

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AddAsync(writer)));

        (await SessionAsync(database)).ShouldNotBe(before);
        (await server.ScalarAsync<long>(Own.Name, "SELECT last_value FROM public.tries")).ShouldBeGreaterThan(20);
    }

    [Theory]
    [InlineData("40001")]
    [InlineData("40P01")]
    [InlineData("55P03")]
    [InlineData("57014")]
    public async Task A_conflict_between_statements_is_tried_again_on_the_same_connection(string sqlState)
    {
        await using var database = PostgreSqlDatabase.From(Database.ConnectionString, PostgreSqlSchema.Current, new UnlimitedRetryTime());
        await FailTwiceAsync(database, sqlState);
        int before = await SessionAsync(database);
        await using var writer = new PostgreSqlWriter(database, new UnlimitedRetryTime());

        await AddAsync(writer);

        (await SessionAsync(database)).ShouldBe(before);
    }

    [Theory]
    [InlineData("23514")]
    [InlineData("22001")]
    [InlineData("P0001")]
    public async Task An_error_of_a_statement_is_reported_at_once(string sqlState)
    {
        await using var database = PostgreSqlDatabase.From(Database.ConnectionString, PostgreSqlSchema.Current, new UnlimitedRetryTime());
        await FailTwiceAsync(database, sqlState);
        int before = await SessionAsync(database);
        await using var writer = new PostgreSqlWriter(database, new UnlimitedRetryTime());

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => AddAsync(writer))).Message.ShouldContain("reported an error");

        (await SessionAsync(database)).ShouldBe(before);
        (await server.ScalarAsync<long>(Own.Name, "SELECT last_value FROM public.tries")).ShouldBe(1);
    }

    private static async Task AddAsync(PostgreSqlWriter writer) => await writer.RunAsync(
        () => new NpgsqlBatchCommand("INSERT INTO public.failing VALUES (1) RETURNING n"), PostgreSqlWriter.HasRowAsync,
        notifies: false, Stop);

    private static Task<int> SessionAsync(PostgreSqlDatabase database) => database.RunAsync(async (connection, _) =>
    {
        await using var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
        return (int)(await command.ExecuteScalarAsync(Stop))!;
    }, Stop);

    /// <summary>A table whose first two inserts fail; a sequence counts them, because nothing rolls it back.</summary>
    private async Task FailTwiceAsync(PostgreSqlDatabase database, string sqlState)
    {
        await SessionAsync(database);
        await server.ExecuteAsync(Own.Name,
            $"""
            CREATE SEQUENCE public.tries;
            CREATE TABLE public.failing (n integer);
            CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF nextval('public.tries') < 3 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '{sqlState}'; END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER fail BEFORE INSERT ON public.failing FOR EACH ROW EXECUTE FUNCTION public.fail()
            """);
    }
}
