using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// The first use of a database prepares its schema. A transient failure is retried there as for a write, so that no letter is lost.
/// </summary>
public sealed class PostgreSqlPreparationTests(PostgreSqlServer server) : StorageContract
{
    private const long TestLock = 42;

    private PostgreSqlTestDatabase Own => (PostgreSqlTestDatabase)Database;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    /// <summary>The step at which the preparation of an older schema stops, and the lock that stops it.</summary>
    public static TheoryData<string, string> Moments => new()
    {
        { "it reads the version", "LOCK TABLE http_resilience.schema_version IN ACCESS EXCLUSIVE MODE" },
        { "it waits for another process that prepares it", $"SELECT pg_advisory_xact_lock({PostgreSqlSchema.SchemaLock})" },
        { "it takes a step", "LOCK TABLE public.in_step IN ACCESS EXCLUSIVE MODE" },
        { "it writes the version", "SELECT version FROM http_resilience.schema_version FOR UPDATE" },
        { "it commits", $"SELECT pg_advisory_xact_lock({TestLock})" },
    };

    [Theory, MemberData(nameof(Moments))]
    public async Task A_connection_that_is_terminated_during_the_preparation_loses_no_letter(string moment, string lockSql)
    {
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await server.ExecuteAsync(Own.Name, "CREATE TABLE public.in_step (n integer)");
        await using var storage = Open(new(
        [
            .. PostgreSqlSchema.Current.Steps,
            $"""
            INSERT INTO public.in_step VALUES (1);
            CREATE FUNCTION http_resilience.wait() RETURNS trigger LANGUAGE plpgsql
              AS 'BEGIN PERFORM pg_advisory_xact_lock({TestLock}); RETURN NULL; END';
            CREATE TABLE http_resilience.last (n integer);
            CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON http_resilience.last DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION http_resilience.wait();
            INSERT INTO http_resilience.last VALUES (1)
            """,
        ]));
        await using var other = new NpgsqlConnection($"{Database.ConnectionString};Pooling=false;Application Name=other");
        await other.OpenAsync(Stop);
        await using var transaction = await other.BeginTransactionAsync(Stop);
        await using (var hold = new NpgsqlCommand(lockSql, other))
            await hold.ExecuteNonQueryAsync(Stop);

        var adding = storage.DeadLetters.AddAsync(Letters.Plain(), Stop);
        await TerminateWaitingAsync(adding, moment);
        await TerminateWaitingAsync(adding, moment);
        await transaction.CommitAsync(Stop);

        (await adding).ShouldBeTrue(moment);
        (await storage.DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(2);
        (await server.ScalarAsync<long>(Own.Name, "SELECT count(*) FROM public.in_step")).ShouldBe(1);
    }

    [Fact]
    public async Task A_connection_that_is_cut_after_any_message_of_the_preparation_loses_no_letter() =>
        await CutAfterEachMessageAsync(async storage =>
        {
            (await storage.DeadLetters.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();
            (await server.ScalarAsync<long>(Own.Name, "SELECT count(*) FROM http_resilience.dead_letters")).ShouldBe(1);
            await server.ExecuteAsync(Own.Name, "DROP SCHEMA http_resilience CASCADE");
        });

    [Fact]
    public async Task A_connection_that_is_cut_after_any_message_while_another_process_prepares_the_schema_loses_no_letter()
    {
        await using var other = new NpgsqlConnection($"{Database.ConnectionString};Pooling=false;Application Name=other");
        await other.OpenAsync(Stop);
        await CutAfterEachMessageAsync(async storage =>
        {
            await ExecuteAsync($"SELECT pg_advisory_lock({PostgreSqlSchema.SchemaLock})");
            var adding = storage.DeadLetters.AddAsync(Letters.Plain(), Stop);
            await UntilItWaitsAsync(adding);
            await PostgreSqlSchema.Current.PrepareAsync(other, "the test database", Stop);
            await ExecuteAsync($"SELECT pg_advisory_unlock({PostgreSqlSchema.SchemaLock})");
            (await adding).ShouldBeTrue();
            await ExecuteAsync("DROP SCHEMA http_resilience CASCADE");
        });

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, other);
            await command.ExecuteNonQueryAsync(Stop);
        }
    }

    [Theory]
    [InlineData(PostgresErrorCodes.CannotConnectNow)]
    [InlineData(PostgresErrorCodes.AdminShutdown)]
    [InlineData(PostgresErrorCodes.TooManyConnections)]
    public async Task A_server_that_refuses_connections_for_a_moment_loses_no_letter(string sqlState)
    {
        await using var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(Database.ConnectionString).Port);
        proxy.RefuseNext(sqlState);

        var store = Database.Open(
            connectionString: $"{Database.ConnectionString};Port={proxy.Port};SSL Mode=Disable;GSS Encryption Mode=Disable").DeadLetters;
        (await store.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();

        proxy.Cuts.ShouldBe(1);
    }

    [Theory]
    [InlineData(PostgresErrorCodes.DeadlockDetected)]
    [InlineData(PostgresErrorCodes.SerializationFailure)]
    [InlineData(PostgresErrorCodes.LockNotAvailable)]
    [InlineData(PostgresErrorCodes.AdminShutdown)]
    public async Task A_schema_step_that_conflicts_with_another_session_is_retried(string sqlState)
    {
        await server.ExecuteAsync(Own.Name, "CREATE SEQUENCE public.tries");
        string fails =
            $"DO $$ BEGIN IF nextval('public.tries') < 3 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '{sqlState}'; END IF; END $$";
        await using var storage = Open(new([fails, .. PostgreSqlSchema.Current.Steps]));

        (await storage.DeadLetters.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();

        (await server.ScalarAsync<long>(Own.Name, "SELECT last_value FROM public.tries")).ShouldBe(3);
    }

    [Fact]
    public async Task An_administrator_who_creates_the_schema_at_the_same_moment_loses_no_letter()
    {
        await using var administrator = new NpgsqlConnection($"{Database.ConnectionString};Pooling=false;Application Name=other");
        await administrator.OpenAsync(Stop);
        await using var transaction = await administrator.BeginTransactionAsync(Stop);
        await using (var create = new NpgsqlCommand("CREATE SCHEMA http_resilience", administrator))
            await create.ExecuteNonQueryAsync(Stop);

        var adding = Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await UntilItWaitsAsync(adding);
        await transaction.CommitAsync(Stop);

        (await adding).ShouldBeTrue();
    }

    private string Waiting =>
        $"FROM pg_stat_activity WHERE datname = '{Own.Name}' AND application_name = 'HttpResilience' AND wait_event_type = 'Lock'";

    private PostgreSqlStorage Open(PostgreSqlSchema schema)
    {
        var time = new UnlimitedRetryTime();
        return new(PostgreSqlDatabase.From(Database.ConnectionString, schema, time), new(Letters.Application), time,
            NullLoggerFactory.Instance);
    }

    private async Task UntilItWaitsAsync(Task<bool> adding)
    {
        while (!adding.IsCompleted && await server.ScalarAsync<long>(Own.Name, $"SELECT count(*) {Waiting}") == 0)
            await Task.Delay(5, Stop);
    }

    /// <summary>
    /// Repeats an action on an unused store for each message of the server, and cuts the first connection after that message.
    /// </summary>
    private async Task CutAfterEachMessageAsync(Func<IHttpResilienceStorage, Task> use)
    {
        await using var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(Database.ConnectionString).Port);
        string throughProxy = $"{Database.ConnectionString};Port={proxy.Port};SSL Mode=Disable;GSS Encryption Mode=Disable;Timeout=60";
        int cuts = -1, messages = 0;
        for (; proxy.Cuts > cuts; messages++)
        {
            cuts = proxy.Cuts;
            proxy.CutAfterAnswers("http_resilience", messages);
            var storage = Database.Open(new UnlimitedRetryTime(), throughProxy);
            try
            {
                await use(storage);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"The connection was cut after {messages} messages.", e);
            }

            await storage.DisposeAsync();
        }

        messages.ShouldBeGreaterThan(20);
    }

    private async Task TerminateWaitingAsync(Task<bool> adding, string moment)
    {
        while (await server.ScalarAsync<long>(Own.Name, $"SELECT count(pg_terminate_backend(pid)) {Waiting}") == 0)
        {
            adding.IsCompleted.ShouldBeFalse(moment);
            await Task.Delay(5, Stop);
        }
    }
}
