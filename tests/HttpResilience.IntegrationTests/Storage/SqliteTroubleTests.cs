using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>A file that is full, locked, deleted, or left by a killed process.</summary>
public sealed class SqliteTroubleTests : IAsyncDisposable
{
    private readonly SqliteTestDatabase _database = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_database_reports_an_error_and_stores_letters_again_when_there_is_space()
    {
        var database = SqliteDatabase.From(_database.ConnectionString, SqliteSchema.Current);
        await using var writer = new SqliteWriter(database, NullLogger.Instance);
        await using var readers = new SqliteReaders(database);
        var store = new SqliteDeadLetterStore(writer, readers, new(Letters.Application), TimeProvider.System, NullLogger.Instance);
        var small = Letters.Plain();
        await store.AddAsync(small, Stop);
        var large = Letters.Plain() with { Body = new byte[1_000_000] };

        await writer.LookAsync(s => s.Execute($"PRAGMA max_page_count = {s.Scalar<long>("PRAGMA page_count") + 10}"), Stop);
        var failure = await Should.ThrowAsync<HttpResilienceStorageException>(() => store.AddAsync(large, Stop));

        failure.Message.ShouldContain("is full");
        failure.Message.ShouldContain(_database.Path);
        (await store.FindAsync(large.Id, Stop)).ShouldBeNull();
        (await store.AddAsync(large, Stop)).ShouldBeTrue();
        (await store.FindAsync(small.Id, Stop)).ShouldBeThatOf(small);
    }

    [Fact]
    public async Task A_full_disk_reports_an_error_and_stores_letters_again_when_there_is_space()
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes: 4);
        await using (var database = new SqliteTestDatabase())
        {
            var store = database.Open(connectionString: $"Data Source={disk.Directory}/letters.db").DeadLetters;
            var (small, large) = (Letters.Plain(), Letters.Plain() with { Body = new byte[500_000] });
            await store.AddAsync(small, Stop);
            string filling = disk.Fill();

            (await Should.ThrowAsync<HttpResilienceStorageException>(() => store.AddAsync(large, Stop))).Message
                .ShouldContain("is full: free disk space");
            File.Delete(filling);

            (await store.AddAsync(large, Stop)).ShouldBeTrue();
            (await store.FindAsync(small.Id, Stop)).ShouldBeThatOf(small);
        }
    }

    [Fact]
    public async Task A_read_only_database_can_be_read_and_its_changes_fail()
    {
        var letter = Letters.Plain();
        await _database.Open().DeadLetters.AddAsync(letter, Stop);
        var readOnly = _database.Open(connectionString: $"{_database.ConnectionString};Mode=ReadOnly").DeadLetters;

        (await readOnly.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
        (await Should.ThrowAsync<HttpResilienceStorageException>(() => readOnly.AddAsync(Letters.Plain(), Stop))).Message
            .ShouldContain("can only be read");
    }

    [Fact]
    public async Task A_lock_held_beyond_the_timeout_fails_all_waiting_writes_and_none_afterwards()
    {
        var storage = _database.Open(connectionString: $"{_database.ConnectionString};Default Timeout=1").DeadLetters;
        await storage.AddAsync(Letters.Plain(), Stop);
        var other = Lock();
        long began = Stopwatch.GetTimestamp();

        var adding = Enumerable.Range(0, 50).Select(_ => storage.AddAsync(Letters.Plain(), Stop)).ToList();
        foreach (var add in adding)
            (await Should.ThrowAsync<HttpResilienceStorageException>(add)).Message.ShouldContain("locked by another process for 1 seconds");

        Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(15));
        other.Dispose();
        (await storage.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();
        (await storage.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(2);
    }

    [Theory]
    [InlineData("BEGIN EXCLUSIVE")]
    [InlineData("BEGIN IMMEDIATE")]
    [InlineData("BEGIN; SELECT count(*) FROM sqlite_schema")]
    [InlineData("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE")]
    [InlineData("PRAGMA journal_mode = WAL; PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE")]
    public async Task A_process_that_locks_a_new_file_while_the_schema_is_created_loses_no_letter(string sql)
    {
        var other = Lock(sql);

        var adding = _database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        // Longer than the library retries a lock for which SQLite itself does not wait.
        await Task.Delay(1500, Stop);
        adding.IsCompleted.ShouldBeFalse();
        other.Dispose();

        (await adding).ShouldBeTrue();
    }

    [Fact]
    public async Task A_process_that_locks_a_new_file_beyond_the_timeout_is_named_as_the_cause()
    {
        var store = _database.Open(connectionString: $"{_database.ConnectionString};Default Timeout=1").DeadLetters;
        using var other = Lock("BEGIN; SELECT count(*) FROM sqlite_schema");

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => store.AddAsync(Letters.Plain(), Stop))).Message
            .ShouldContain("another process for 1 seconds");
    }

    [Fact]
    public async Task A_short_lock_of_another_process_fails_no_write()
    {
        var store = _database.Open().DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);
        var other = Lock();

        var adding = store.AddAsync(Letters.Plain(), Stop);
        await store.CountAsync(Stop);
        adding.IsCompleted.ShouldBeFalse();
        other.Dispose();

        (await adding).ShouldBeTrue();
    }

    [Fact]
    public async Task A_write_cancelled_while_it_waits_ends_and_its_letter_is_not_stored()
    {
        var store = _database.Open().DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);
        var other = Lock();
        using var cancellation = new CancellationTokenSource();
        var (first, second) = (Letters.Plain(), Letters.Plain());

        var begun = store.AddAsync(first, Stop);
        await Task.Delay(50, Stop);
        var waiting = store.AddAsync(second, cancellation.Token);
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
        other.Dispose();

        (await begun).ShouldBeTrue();
        await store.AddAsync(Letters.Plain(), Stop);
        (await store.FindAsync(second.Id, Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task A_deleted_database_is_created_again_and_logged()
    {
        var store = _database.Open().DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);
        await store.CountAsync(Stop);
        foreach (string file in Directory.GetFiles(_database.Directory))
            File.Delete(file);
        var letter = Letters.Plain();

        (await store.AddAsync(letter, Stop)).ShouldBeTrue();

        (await store.ListAsync(new(), Stop)).ShouldHaveSingleItem().ShouldBeThatOf(letter);
        (await _database.Open().DeadLetters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
        _database.Log.Lines.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            l => l.Level.ShouldBe(LogLevel.Critical), l => l.Text.ShouldContain(_database.Path));
    }

    [Fact]
    public async Task A_missing_directory_is_reported_and_used_again_when_it_is_back()
    {
        string directory = Path.Combine(_database.Directory, "mounted");
        Directory.CreateDirectory(directory);
        var store = _database.Open(connectionString: $"Data Source={Path.Combine(directory, "letters.db")}").DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);

        Directory.Move(directory, directory + "-away");
        (await Should.ThrowAsync<HttpResilienceStorageException>(() => store.AddAsync(Letters.Plain(), Stop))).Message
            .ShouldContain("no directory");
        await Should.ThrowAsync<HttpResilienceStorageException>(() => store.CountAsync(Stop));
        Directory.Move(directory + "-away", directory);

        await store.AddAsync(Letters.Plain(), Stop);
        (await store.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(2);
    }

    [Fact]
    public async Task A_letter_reported_as_stored_is_already_in_the_files()
    {
        var store = _database.Open().DeadLetters;
        var letters = Enumerable.Range(0, 100).Select(_ => Letters.Full()).ToList();
        await Task.WhenAll(letters.Select(l => store.AddAsync(l, Stop)));

        // The files of a killed process: nothing is closed and the log is not written back.
        string copy = Path.Combine(_database.Directory, "copy");
        Directory.CreateDirectory(copy);
        foreach (string file in new[] { _database.Path, $"{_database.Path}-wal" })
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));

        var left = _database.Open(connectionString: $"Data Source={Path.Combine(copy, "letters.db")}").DeadLetters;
        foreach (var letter in letters)
            (await left.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    /// <summary>Another process in the middle of a write.</summary>
    private SqliteConnection Lock(string sql = "BEGIN IMMEDIATE")
    {
        var connection = new SqliteConnection($"{_database.ConnectionString};Pooling=false");
        connection.Open();
        using var begin = connection.CreateCommand();
        begin.CommandText = sql;
        begin.ExecuteNonQuery();
        return connection;
    }
}
