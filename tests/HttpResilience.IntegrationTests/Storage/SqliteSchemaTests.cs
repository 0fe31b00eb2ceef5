using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The files that are created, upgraded or rejected as databases.</summary>
public sealed class SqliteSchemaTests : IAsyncDisposable
{
    private readonly SqliteTestDatabase _database = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_the_owner_can_read_the_files_and_every_commit_reaches_the_disk()
    {
        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        if (!OperatingSystem.IsWindows())
        {
            foreach (string file in new[] { "", "-wal", "-shm" })
                File.GetUnixFileMode(_database.Path + file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        }

        using var session = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current).Open();
        session.Scalar<string>("PRAGMA journal_mode").ShouldBe("wal");
        session.Scalar<long>("PRAGMA synchronous").ShouldBe(2);
        session.Scalar<long>("PRAGMA busy_timeout").ShouldBe(8_000);
    }

    [Fact]
    public async Task A_relative_path_is_resolved_against_the_current_directory()
    {
        string relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), _database.Path);

        await _database.Open(connectionString: $"Data Source={relative}").DeadLetters.AddAsync(Letters.Plain(), Stop);

        File.Exists(_database.Path).ShouldBeTrue();
    }

    [Theory, InlineData(":memory:"), InlineData(""), InlineData("file:x?mode=memory"), InlineData("x.db;Mode=Memory")]
    public void A_data_source_that_is_not_a_file_is_rejected(string source) =>
        Should.Throw<HttpResilienceStorageException>(
            () => _database.Open(connectionString: $"Data Source={source};Cache=Shared")).Message.ShouldContain("is not a file");

    [Fact]
    public void A_connection_string_of_another_database_is_rejected() =>
        Should.Throw<HttpResilienceStorageException>(
            () => _database.Open(connectionString: "Host=db.example.com;Password=secret")).Message.ShouldSatisfyAllConditions(
            m => m.ShouldContain("Data Source="), m => m.ShouldNotContain("secret"));

    [Fact]
    public async Task A_missing_directory_is_named()
    {
        string path = Path.Combine(_database.Directory, "missing", "letters.db");

        string message = await FailureAsync($"Data Source={path}");

        message.ShouldContain(path);
        message.ShouldContain("no directory");
    }

    [Fact]
    public async Task A_file_that_is_not_a_database_is_not_changed()
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("This is not a database. ", 1000)));
        await File.WriteAllBytesAsync(_database.Path, content, Stop);

        (await FailureAsync()).ShouldContain("is not a SQLite database");

        (await File.ReadAllBytesAsync(_database.Path, Stop)).ShouldBe(content);
    }

    [Theory]
    [InlineData("CREATE TABLE dead_letters (id TEXT)"), InlineData("PRAGMA application_id = 77"), InlineData("PRAGMA user_version = 1")]
    [InlineData("CREATE TABLE t (x); PRAGMA application_id = 77; PRAGMA user_version = 1")]
    public async Task A_foreign_database_is_not_changed(string sql)
    {
        Execute(sql);
        byte[] content = await File.ReadAllBytesAsync(_database.Path, Stop);

        string message = await FailureAsync();

        message.ShouldContain("is not one of HttpResilience");
        message.ShouldContain(_database.Path);
        (await File.ReadAllBytesAsync(_database.Path, Stop)).ShouldBe(content);
    }

    [Fact]
    public async Task A_database_that_only_newer_versions_can_use_is_not_changed()
    {
        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        Execute($"""
            PRAGMA user_version = {SqliteSchema.Current.Steps.Count + 1};
            UPDATE schema_version SET lowest_reader = {SqliteSchema.Current.Steps.Count + 1}
            """);

        (await FailureAsync()).ShouldContain($"has schema version {SqliteSchema.Current.Steps.Count + 1}, "
            + $"and this version of HttpResilience.Sqlite knows {SqliteSchema.Current.Steps.Count}");
    }

    [Fact]
    public async Task A_newer_database_that_this_version_can_use_is_used_and_not_changed()
    {
        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        int newer = SqliteSchema.Current.Steps.Count + 1;
        Execute($"PRAGMA user_version = {newer}; ALTER TABLE dead_letters ADD COLUMN newer TEXT");

        await using (var storage = Open(SqliteSchema.Current))
            await storage.DeadLetters.AddAsync(Letters.Plain(), Stop);

        using var session = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current).Open();
        session.Scalar<long>("PRAGMA user_version").ShouldBe(newer);
        session.Scalar<long>("SELECT count(*) FROM dead_letters").ShouldBe(2);
    }

    [Fact]
    public async Task A_database_of_version_1_is_upgraded_and_its_rows_and_those_of_processes_that_still_run_belong_to_all()
    {
        SqliteDatabase.From(_database.ConnectionString, new(SqliteSchema.Current.Steps[0])).Open().Dispose();
        Execute(InsertOfVersion1);

        (await _database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(1);
        Execute(InsertOfVersion1);

        var claimed = await _database.Open().DeadLetters.ClaimAsync(Letters.ClaimOf("billing"), Stop);
        claimed.Select(l => (l.Application, l.OriginalUri, l.Takeovers)).ShouldBe([("", null, 0), ("", null, 0)]);
    }

    private const string InsertOfVersion1 = """
        INSERT INTO dead_letters (id, version, status, due_at, failure_class, stop_reason, may_have_been_processed, attempts,
          replays, last_failed_at, client_name, authority, method, uri, first_failed_at, tags, headers, body_is_missing)
        SELECT '0195f000-0000-7000-8000-00000000000' || count(*), 0, 'Pending', 0, 'Transient', 'AttemptsExhausted', FALSE, 4, 0, 0,
          'billing', 'https://api.example.com', 'POST', 'https://api.example.com/invoices', 0, '{}', '[]', FALSE FROM dead_letters
        """;

    [Fact]
    public async Task A_database_of_version_2_is_upgraded_and_its_rows_and_those_of_processes_that_still_run_are_plain_and_complete()
    {
        SqliteDatabase.From(_database.ConnectionString, new([.. SqliteSchema.Current.Steps.Take(2)])).Open().Dispose();
        Execute(InsertOfVersion1);

        (await _database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(1);
        Execute(InsertOfVersion1);

        var claimed = await _database.Open().DeadLetters.ClaimAsync(Letters.ClaimOf("billing"), Stop);
        claimed.Select(l => (l.LeftOut.Count, l.ProtectedWith)).ShouldBe([(0, null), (0, null)]);
    }

    [Fact]
    public async Task A_database_of_version_3_is_upgraded_and_its_rows_and_those_of_processes_that_still_run_have_a_cause_once_completed()
    {
        SqliteDatabase.From(_database.ConnectionString, new([.. SqliteSchema.Current.Steps.Take(3)])).Open().Dispose();
        for (int i = 0; i < 9; i++)
            Execute(InsertOfVersion1);
        var store = _database.Open().DeadLetters;
        (await store.GroupsAsync(new(), 10, Stop)).ShouldBeEmpty();

        (await store.CompleteAsync(Stop)).ShouldBe(9);

        var group = (await store.GroupsAsync(new(), 10, Stop)).ShouldHaveSingleItem();
        (group.Count, group.Newest.Version, group.Newest.Title).ShouldBe((9, 0, "No reason is known"));
        (await store.CompleteAsync(Stop)).ShouldBe(0);
    }

    [Theory, InlineData(0, "3"), InlineData(1, "1"), InlineData(2, "2"), InlineData(3, "3")]
    public async Task A_database_holds_the_version_of_the_schema_with_which_it_began(int before, string first)
    {
        if (before > 0)
            SqliteDatabase.From(_database.ConnectionString, new([.. SqliteSchema.Current.Steps.Take(before)])).Open().Dispose();

        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        using var session = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current).Open();
        session.Scalar<string>("SELECT value FROM settings WHERE name = 'first_schema_version'").ShouldBe(first);
        session.Scalar<long>("SELECT lowest_reader FROM schema_version").ShouldBe(2);
        (await _database.Open().DeadLetters.KeepsByDefaultAsync(Stop)).ShouldBe(before is 1 or 2);
    }

    [Theory]
    [InlineData("SELECT min(protected_with) FROM dead_letters WHERE protected_with >= '' AND status = 'RequiresReview' "
        + "AND suggested_action = 'key ' || protected_with || ' is missing'", "dead_letters_without_key")]
    [InlineData("SELECT rowid FROM dead_letters WHERE status IN ('Replayed', 'Resolved', 'Resubmitted') AND last_failed_at < 1 "
        + "AND client_name = 'a' AND application = 'b'", "dead_letters_done_by_client")]
    public async Task Keys_and_settled_letters_are_found_by_an_index(string sql, string index)
    {
        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        using var session = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current).Open();
        session.Read(row => row.GetString(3), $"EXPLAIN QUERY PLAN {sql}").ShouldContain(l => l.Contains(index, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_backlog_searches_the_index_for_each_destination()
    {
        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        using var session = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current).Open();
        var plan = session.Read(row => row.GetString(3), $"EXPLAIN QUERY PLAN {SqliteDeadLetterStore.BacklogSql}");
        string[] searches = ["(client_name=? AND authority=? AND application>?)", "(client_name=? AND authority>?)", "(client_name>?)"];
        foreach (string search in searches)
            plan.ShouldContain(l => l.Contains($"INDEX dead_letters_to_claim {search}", StringComparison.Ordinal), string.Join('\n', plan));
        plan.ShouldNotContain(l => l.Contains("TEMP B-TREE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_count_takes_the_earliest_pending_letter_from_the_index()
    {
        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        using var session = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current).Open();
        var plan = session.Read(
            row => row.GetString(3), $"EXPLAIN QUERY PLAN {SqliteDeadLetterStore.CountSql}", ("@applications", "[]"));
        plan.ShouldContain(
            l => l.EndsWith("INDEX dead_letters_pending (application=?)", StringComparison.Ordinal), string.Join('\n', plan));
        plan.ShouldNotContain(l => l.Contains("TEMP B-TREE FOR ORDER BY", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, "INDEX dead_letters_done (last_failed_at<?)")]
    [InlineData("billing", "INDEX dead_letters_done_by_client (client_name=? AND last_failed_at<?)")]
    public async Task A_purge_reads_only_letters_that_failed_long_ago(string? client, string index)
    {
        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        using var session = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current).Open();
        foreach (var status in new DeadLetterStatus?[] { null, DeadLetterStatus.Resolved })
        {
            var (sql, parameters) = SqliteLetterQuery.Purge(new() { ClientName = client, Status = status });
            parameters.AddRange([("@settled_before", 1), ("@limit", 1)]);
            session.Read(row => row.GetString(3), $"EXPLAIN QUERY PLAN {sql}", [.. parameters])
                .ShouldContain(l => l.EndsWith(index, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Counts_that_differ_from_the_letters_are_mended()
    {
        var store = _database.Open().DeadLetters;
        for (int i = 0; i < 3; i++)
            await store.AddAsync(Letters.Plain(), Stop);
        Execute("""
            INSERT OR REPLACE INTO dead_letters SELECT * FROM dead_letters LIMIT 1;
            INSERT INTO letter_counts SELECT application, 'Resolved', 7 FROM dead_letters LIMIT 1
            """);
        var wrong = await store.CountAsync(Stop);
        (wrong[DeadLetterStatus.Pending], wrong[DeadLetterStatus.Resolved]).ShouldBe((4, 7));

        await _database.Open().Instances.PurgeAsync(DateTimeOffset.UnixEpoch, Stop);

        var counts = await store.CountAsync(Stop);
        (counts[DeadLetterStatus.Pending], counts[DeadLetterStatus.Resolved]).ShouldBe((3, 0));
    }

    [Fact]
    public async Task An_older_database_is_upgraded_once_and_keeps_its_letters()
    {
        var letter = Letters.Full();
        await using (var old = Open(SqliteSchema.Current))
            await old.DeadLetters.AddAsync(letter, Stop);
        var newer = new SqliteSchema([.. SqliteSchema.Current.Steps,
            "CREATE TABLE steps (n INTEGER); INSERT INTO steps VALUES (2)",
            $"INSERT INTO steps VALUES (3); UPDATE schema_version SET lowest_reader = {SqliteSchema.Current.Steps.Count + 1}"]);

        var opened = Enumerable.Range(0, 4).Select(_ => Open(newer)).ToList();
        await Task.WhenAll(opened.Select(s => Task.Run(() => s.DeadLetters.AddAsync(Letters.Plain(), Stop), Stop)));

        (await opened[0].DeadLetters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
        foreach (var storage in opened)
            await storage.DisposeAsync();
        using var session = SqliteDatabase.From(_database.ConnectionString, newer).Open();
        session.Read(row => row.GetInt64(0), "SELECT n FROM steps").ShouldBe([2, 3]);
        session.Scalar<long>("PRAGMA user_version").ShouldBe(SqliteSchema.Current.Steps.Count + 2);
        (await FailureAsync()).ShouldContain("update the package");
    }

    [Fact]
    public async Task A_failed_step_leaves_the_older_database_unchanged()
    {
        await _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await using var newer = Open(
            new([.. SqliteSchema.Current.Steps, "CREATE TABLE half (n INTEGER); INSERT INTO no_such_table VALUES (1)"]));

        await Should.ThrowAsync<HttpResilienceStorageException>(() => newer.DeadLetters.CountAsync(Stop));

        (await _database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(1);
        using var session = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current).Open();
        session.Scalar<long>("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").ShouldBe(0);
    }

    [Fact]
    public async Task A_value_written_by_a_newer_version_is_named_in_the_error()
    {
        var letter = Letters.Plain();
        await _database.Open().DeadLetters.AddAsync(letter, Stop);
        Execute("UPDATE dead_letters SET stop_reason = 'Abducted'");

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => _database.Open().DeadLetters.FindAsync(letter.Id, Stop))).Message
            .ShouldContain("StopReason 'Abducted'");
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private SqliteStorage Open(SqliteSchema schema) =>
        new(
            SqliteDatabase.From(_database.ConnectionString, schema), new(Letters.Application), TimeProvider.System,
            NullLoggerFactory.Instance);

    private async Task<string> FailureAsync(string? connectionString = null)
    {
        var storage = _database.Open(connectionString: connectionString);
        await Should.ThrowAsync<HttpResilienceStorageException>(() => storage.DeadLetters.CountAsync(Stop));
        return (await Should.ThrowAsync<HttpResilienceStorageException>(() => storage.DeadLetters.AddAsync(Letters.Plain(), Stop))).Message;
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"{_database.ConnectionString};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
