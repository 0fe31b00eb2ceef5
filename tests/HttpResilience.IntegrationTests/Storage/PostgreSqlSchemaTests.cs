using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The schemas that are used, upgraded or rejected.</summary>
public sealed class PostgreSqlSchemaTests(PostgreSqlServer server) : StorageContract
{
    private PostgreSqlTestDatabase Own => (PostgreSqlTestDatabase)Database;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Theory]
    [InlineData("CREATE SCHEMA http_resilience; CREATE TABLE http_resilience.dead_letters (id text)")]
    [InlineData("CREATE SCHEMA http_resilience; CREATE TABLE http_resilience.schema_version (version integer)")]
    [InlineData("CREATE SCHEMA http_resilience; CREATE TABLE http_resilience.schema_version (version integer); "
        + "INSERT INTO http_resilience.schema_version VALUES (1), (1)")]
    [InlineData("CREATE SCHEMA http_resilience; CREATE TABLE http_resilience.schema_version (version text); "
        + "INSERT INTO http_resilience.schema_version VALUES ('1')")]
    [InlineData("CREATE SCHEMA http_resilience; CREATE TABLE http_resilience.schema_version (number integer); "
        + "INSERT INTO http_resilience.schema_version VALUES (1)")]
    public async Task A_foreign_schema_is_not_changed(string sql)
    {
        await server.ExecuteAsync(Own.Name, sql);

        string message = await FailureAsync();

        message.ShouldContain("schema http_resilience");
        message.ShouldContain($"'{Own.Name}' at 127.0.0.1:");
        message.ShouldContain("is not one of HttpResilience");
        (await server.ScalarAsync<long>(Own.Name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'http_resilience'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_schema_that_only_newer_versions_can_use_is_not_changed()
    {
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        int known = PostgreSqlSchema.Current.Steps.Count;
        await server.ExecuteAsync(
            Own.Name, $"UPDATE http_resilience.schema_version SET version = {known + 1}, lowest_reader = {known + 1}");

        (await FailureAsync()).ShouldContain($"has version {known + 1}, "
            + $"and this version of HttpResilience.PostgreSql knows {known}");
    }

    [Fact]
    public async Task A_newer_schema_that_this_version_can_use_is_used_and_not_changed()
    {
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        int known = PostgreSqlSchema.Current.Steps.Count;
        await server.ExecuteAsync(Own.Name, $"""
            UPDATE http_resilience.schema_version SET version = {known + 1};
            ALTER TABLE http_resilience.dead_letters ADD COLUMN newer text
            """);

        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        (await server.ScalarAsync<int>(Own.Name, "SELECT version FROM http_resilience.schema_version")).ShouldBe(known + 1);
        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(2);
    }

    [Fact]
    public async Task A_schema_of_version_1_is_upgraded_and_its_rows_and_those_of_processes_that_still_run_belong_to_all()
    {
        await using var old = Open(new(PostgreSqlSchema.Current.Steps[0]));
        await old.Fallbacks.FindAsync("prepares", "the", "schema", Stop);
        await server.ExecuteAsync(Own.Name, InsertOfVersion1);

        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(1);
        await server.ExecuteAsync(Own.Name, InsertOfVersion1);

        var claimed = await Database.Open().DeadLetters.ClaimAsync(Letters.ClaimOf("billing"), Stop);
        claimed.Select(l => (l.Application, l.OriginalUri, l.Takeovers)).ShouldBe([("", null, 0), ("", null, 0)]);
    }

    private const string InsertOfVersion1 = """
        INSERT INTO http_resilience.dead_letters (
          id, version, status, due_at, failure_class, stop_reason, may_have_been_processed, attempts, replays,
          last_failed_at, client_name, authority, method, uri, first_failed_at, tags, headers, body_is_missing)
        VALUES (gen_random_uuid(), 0, 'Pending', now(), 'Transient', 'AttemptsExhausted', FALSE, 4, 0, now(), 'billing',
          'https://api.example.com', 'POST', 'https://api.example.com/invoices', now(), '{}', '[]', FALSE)
        """;

    [Fact]
    public async Task A_schema_of_version_2_is_upgraded_and_its_rows_and_those_of_processes_that_still_run_are_plain_and_complete()
    {
        await using var old = Open(new([.. PostgreSqlSchema.Current.Steps.Take(2)]));
        await old.Fallbacks.FindAsync("prepares", "the", "schema", Stop);
        await server.ExecuteAsync(Own.Name, InsertOfVersion1);

        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(1);
        await server.ExecuteAsync(Own.Name, InsertOfVersion1);

        var claimed = await Database.Open().DeadLetters.ClaimAsync(Letters.ClaimOf("billing"), Stop);
        claimed.Select(l => (l.LeftOut.Count, l.ProtectedWith)).ShouldBe([(0, null), (0, null)]);
    }

    [Fact]
    public async Task A_schema_of_version_3_is_upgraded_and_its_rows_and_those_of_processes_that_still_run_have_a_cause_once_completed()
    {
        await using var old = Open(new([.. PostgreSqlSchema.Current.Steps.Take(3)]));
        await old.Fallbacks.FindAsync("prepares", "the", "schema", Stop);
        for (int i = 0; i < 9; i++)
            await server.ExecuteAsync(Own.Name, InsertOfVersion1);
        var store = Database.Open().DeadLetters;
        (await store.GroupsAsync(new(), 10, Stop)).ShouldBeEmpty();

        (await store.CompleteAsync(Stop)).ShouldBe(9);

        var group = (await store.GroupsAsync(new(), 10, Stop)).ShouldHaveSingleItem();
        (group.Count, group.Newest.Version, group.Newest.Title).ShouldBe((9, 0, "No reason is known"));
        (await store.CompleteAsync(Stop)).ShouldBe(0);
    }

    [Theory, InlineData(0, "3"), InlineData(1, "1"), InlineData(2, "2"), InlineData(3, "3")]
    public async Task A_schema_holds_the_version_with_which_it_began(int before, string first)
    {
        if (before > 0)
        {
            await using var old = Open(new([.. PostgreSqlSchema.Current.Steps.Take(before)]));
            await old.Fallbacks.FindAsync("prepares", "the", "schema", Stop);
        }

        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        (await server.ScalarAsync<string>(
            Own.Name, "SELECT value FROM http_resilience.settings WHERE name = 'first_schema_version'")).ShouldBe(first);
        (await server.ScalarAsync<int>(Own.Name, "SELECT lowest_reader FROM http_resilience.schema_version")).ShouldBe(2);
        (await Database.Open().DeadLetters.KeepsByDefaultAsync(Stop)).ShouldBe(before is 1 or 2);
    }

    [Theory]
    [InlineData("SELECT min(protected_with) FROM http_resilience.dead_letters WHERE protected_with > 'k' AND status = 'RequiresReview' "
        + "AND suggested_action = 'key ' || protected_with || ' is missing'", "dead_letters_without_key")]
    [InlineData("SELECT id FROM http_resilience.dead_letters WHERE status IN ('Replayed', 'Resolved', 'Resubmitted') "
        + "AND last_failed_at < '1999-01-01' AND client_name = 'a' AND left(client_name, 100) = left('a', 100)",
        "dead_letters_done_by_client")]
    public async Task Keys_and_settled_letters_are_found_by_an_index(string sql, string index)
    {
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await server.ExecuteAsync(Own.Name, $"""
            INSERT INTO http_resilience.dead_letters (
              id, version, status, due_at, failure_class, stop_reason, may_have_been_processed, attempts, replays, last_failed_at,
              client_name, authority, method, uri, first_failed_at, tags, headers, body_is_missing)
            SELECT gen_random_uuid(), 0, CASE n % 2 WHEN 0 THEN 'Replayed' ELSE 'RequiresReview' END, now(), 'Transient',
              'AttemptsExhausted', FALSE, 4, 0, now(), 'client-' || n, 'https://api.example.com', 'POST',
              'https://api.example.com/invoices', now(), '{"{}"}', '[]', FALSE
            FROM generate_series(1, 5000) n;
            ANALYZE http_resilience.dead_letters
            """);

        (await server.ScalarAsync<string>(Own.Name, $"EXPLAIN (FORMAT JSON) {sql}")).ShouldContain(index);
    }

    // Without statistics the planner takes each condition for a rare one, and with them each of several for independent of the others.
    [Theory, InlineData(false), InlineData(true)]
    public async Task No_statement_that_runs_often_reads_letters_that_it_does_not_need(bool hasStatistics)
    {
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await server.ExecuteAsync(Own.Name, $"""
            INSERT INTO http_resilience.dead_letters (
              id, version, status, due_at, failure_class, stop_reason, may_have_been_processed, attempts, replays, last_failed_at,
              client_name, authority, method, uri, first_failed_at, tags, headers, body_is_missing, application, protected_with,
              suggested_action)
            SELECT gen_random_uuid(), 0, CASE n % 3 WHEN 0 THEN 'Pending' WHEN 1 THEN 'RequiresReview' ELSE 'Replayed' END,
              now() - n * interval '1 second', 'Transient', 'AttemptsExhausted', FALSE, 4, 0, now(), 'client-' || n % 5,
              'https://api.example.com', 'POST', 'https://api.example.com/invoices', now(), '{"{}"}', '[]', FALSE, 'app-' || n % 2,
              CASE n % 3 WHEN 1 THEN 'k' END, CASE n % 3 WHEN 1 THEN 'key k is missing' END
            FROM generate_series(1, 20000) n
            """);
        if (hasStatistics)
            await server.ExecuteAsync(Own.Name, "VACUUM ANALYZE http_resilience.dead_letters");
        var claim = new PostgreSqlClaim(
            Letters.ClaimOf("client-1") with { Applications = ["app-0", "app-1"], Clients = ["client-0", "client-1", "client-2"] },
            new("tests"), new(TimeProvider.System)).TakeAll();

        string[] applications = ["", "app-1"];
        string claimed = await PlanAsync(claim.CommandText, claim.Parameters);
        string released = await PlanAsync(
            PostgreSqlDeadLetterStore.ReleaseSql, [new() { Value = DateTimeOffset.UtcNow }, new() { Value = "k" }, new() { Value = 1000 }]);
        string missing = await PlanAsync(PostgreSqlDeadLetterStore.MissingKeysSql, []);
        string counted = await PlanAsync(
            PostgreSqlDeadLetterStore.CountSql, [new() { Value = applications }]);
        var list = PostgreSqlLetterQuery.Select(new() { ClientName = "client-1" });
        string listed = await PlanAsync(list.CommandText, list.Parameters);

        claimed.Split("Index Cond: (id = ANY (").Length.ShouldBe(3, claimed);
        released.ShouldContain("Index Cond: (id = ANY (");
        released.ShouldContain("Index Cond: (protected_with = 'k'::text)");
        missing.ShouldContain("Index Cond: (protected_with > w.key)");
        counted.ShouldContain("Index Cond: (application = a.application)");
        foreach (string plan in new[] { claimed, released, missing, counted })
            plan.ShouldNotContain("Seq Scan on dead_letters");
        foreach (string plan in new[] { released, missing, counted })
            plan.Split("Aggregate").Length.ShouldBeLessThanOrEqualTo(plan == counted ? 3 : 1, plan);
        if (hasStatistics)
            listed.ShouldContain("Index Scan Backward using dead_letters_pkey");
    }

    private async Task<string> PlanAsync(string sql, IEnumerable<NpgsqlParameter> parameters)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString(Own.Name) + ";Pooling=false");
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand($"EXPLAIN {sql}", connection);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter.Clone());
        await using var reader = await command.ExecuteReaderAsync(Stop);
        List<string> lines = [];
        while (await reader.ReadAsync(Stop))
            lines.Add(reader.GetString(0));
        return string.Join('\n', lines);
    }

    [Fact]
    public async Task A_claim_is_not_compiled()
    {
        var store = Database.Open().DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);
        await server.ExecuteAsync(Own.Name, """
            CREATE TABLE seen (jit text);
            CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN INSERT INTO public.seen VALUES (current_setting('jit')); RETURN NEW; END $$;
            CREATE TRIGGER see BEFORE UPDATE ON http_resilience.dead_letters FOR EACH ROW EXECUTE FUNCTION see()
            """);

        (await store.ClaimAsync(Letters.ClaimOf("billing") with { Now = DateTimeOffset.MaxValue }, Stop)).Count.ShouldBe(1);

        (await server.ScalarAsync<string>(Own.Name, "SELECT jit FROM seen")).ShouldBe("off");
    }

    [Fact]
    public async Task Counts_that_differ_from_the_letters_are_mended_once()
    {
        var store = Database.Open().DeadLetters;
        for (int i = 0; i < 3; i++)
            await store.AddAsync(Letters.Plain(), Stop);
        await server.ExecuteAsync(Own.Name, """
            ALTER TABLE http_resilience.dead_letters DISABLE TRIGGER ALL;
            UPDATE http_resilience.dead_letters SET status = 'RequiresReview'
            WHERE id = (SELECT id FROM http_resilience.dead_letters LIMIT 1);
            ALTER TABLE http_resilience.dead_letters ENABLE TRIGGER ALL;
            INSERT INTO http_resilience.letter_counts SELECT application, 'Resolved', 0, 7 FROM http_resilience.dead_letters LIMIT 1
            """);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Database.Open().Instances.PurgeAsync(DateTimeOffset.MinValue, Stop)));
        await store.AddAsync(Letters.Plain(), Stop);

        var counts = await store.CountAsync(Stop);

        (counts[DeadLetterStatus.Pending], counts[DeadLetterStatus.RequiresReview], counts[DeadLetterStatus.Resolved]).ShouldBe((3, 1, 0));
    }

    [Fact]
    public async Task An_older_schema_is_upgraded_once_and_keeps_its_letters()
    {
        var letter = Letters.Full();
        await Database.Open().DeadLetters.AddAsync(letter, Stop);
        var newer = new PostgreSqlSchema([
            .. PostgreSqlSchema.Current.Steps,
            "CREATE TABLE http_resilience.steps (n integer); INSERT INTO http_resilience.steps VALUES (2)",
            "INSERT INTO http_resilience.steps VALUES (3)"
                + $"; UPDATE http_resilience.schema_version SET lowest_reader = {PostgreSqlSchema.Current.Steps.Count + 1}",
        ]);

        var opened = Enumerable.Range(0, 4).Select(_ => Open(newer)).ToList();
        await Task.WhenAll(opened.Select(s => s.DeadLetters.AddAsync(Letters.Plain(), Stop)));

        (await opened[0].DeadLetters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
        foreach (var storage in opened)
            await storage.DisposeAsync();
        (await server.ScalarAsync<int[]>(Own.Name, "SELECT array_agg(n) FROM http_resilience.steps")).ShouldBe([2, 3]);
        (await FailureAsync()).ShouldContain("update the package");
    }

    [Fact]
    public async Task A_failed_step_leaves_the_older_schema_unchanged()
    {
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await using var newer = Open(new(
            [.. PostgreSqlSchema.Current.Steps, "CREATE TABLE http_resilience.half (n integer); INSERT INTO no_such_table VALUES (1)"]));

        await Should.ThrowAsync<HttpResilienceStorageException>(() => newer.DeadLetters.CountAsync(Stop));

        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(1);
        (await server.ScalarAsync<bool>(Own.Name, "SELECT to_regclass('http_resilience.half') IS NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_user_without_the_right_to_create_a_schema_gets_an_error_and_can_use_an_existing_one()
    {
        string user = $"app_{Own.Name}";
        await server.ExecuteAsync(Own.Name, $"CREATE ROLE {user} LOGIN");
        var storage = Database.Open(connectionString: Database.ConnectionString.Replace("=postgres", $"={user}", StringComparison.Ordinal));

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => storage.DeadLetters.CountAsync(Stop))).Message.ShouldContain(
            "grant CREATE on the database");
        await server.ExecuteAsync(Own.Name, $"CREATE SCHEMA http_resilience AUTHORIZATION {user}");

        (await storage.DeadLetters.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_dropped_schema_is_created_again()
    {
        var store = Database.Open().DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);
        await server.ExecuteAsync(Own.Name, "DROP SCHEMA http_resilience CASCADE");

        (await store.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();

        (await store.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(1);
    }

    [Fact]
    public async Task A_database_that_does_not_exist_is_named()
    {
        var store = Database.Open(connectionString: server.ConnectionString("nowhere")).DeadLetters;

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => store.CountAsync(Stop))).Message.ShouldContain("'nowhere'");
    }

    [Fact]
    public void A_connection_string_of_another_database_is_rejected_without_showing_its_password()
    {
        foreach (string wrong in new[]
        {
            "Data Source=x.db;Password=secret",
            "Username=me;Password=secret",
            "Host=db;Password=secret;Colour=blue",
            "secret"
        })
        {
            string message = Should.Throw<HttpResilienceStorageException>(() => Database.Open(connectionString: wrong)).Message;
            message.ShouldContain("is not valid");
            message.ShouldNotContain("=secret");
        }
    }

    private PostgreSqlStorage Open(PostgreSqlSchema schema) => new(
        PostgreSqlDatabase.From(Database.ConnectionString, schema, TimeProvider.System), new(Letters.Application), TimeProvider.System,
        NullLoggerFactory.Instance);

    private async Task<string> FailureAsync()
    {
        var storage = Database.Open();
        await Should.ThrowAsync<HttpResilienceStorageException>(() => storage.DeadLetters.CountAsync(Stop));
        return (await Should.ThrowAsync<HttpResilienceStorageException>(() => storage.DeadLetters.AddAsync(Letters.Plain(), Stop))).Message;
    }
}
