using HttpResilience.IntegrationTests.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HttpResilience.IntegrationTests.Health;

/// <summary>The health of an application while its SQLite database accepts no letter, and afterwards.</summary>
public sealed class SqliteHealthTests : IAsyncDisposable
{
    private readonly SqliteTestDatabase _database = new();

    [Fact]
    public async Task A_probe_leaves_no_row_and_is_counted_by_nobody()
    {
        await using var host = await StartAsync(_database.Path);
        await host.UntilAsync(HealthStatus.Healthy);

        (await _database.ScalarAsync("SELECT count(*) FROM dead_letters")).ShouldBe(0L);
        (await _database.ScalarAsync("SELECT total FROM (SELECT max(rowid) AS total FROM dead_letters)")).ShouldBe(DBNull.Value);
    }

    [Fact]
    public async Task A_full_disk_is_unhealthy_until_it_has_room()
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes: 4);
        await using (var host = await StartAsync(Path.Combine(disk.Directory, "letters.db")))
        {
            await host.UntilAsync(HealthStatus.Healthy);
            string filling = disk.Fill();

            (await host.UntilAsync(HealthStatus.Unhealthy)).ShouldContain(" is full");
            File.Delete(filling);

            await host.UntilAsync(HealthStatus.Healthy);
        }
    }

    [Fact]
    public async Task A_database_that_can_only_be_read_is_unhealthy()
    {
        await using (var host = await StartAsync(_database.Path))
            await host.UntilAsync(HealthStatus.Healthy);
        await using var readOnly = await StartAsync($"{_database.Path};Mode=ReadOnly");

        (await readOnly.UntilAsync(HealthStatus.Unhealthy)).ShouldContain("can only be read");
    }

    [Fact]
    public async Task A_directory_that_is_gone_is_unhealthy_until_it_is_back()
    {
        string directory = Directory.CreateDirectory(Path.Combine(_database.Directory, "store")).FullName;
        await using var host = await StartAsync(Path.Combine(directory, "letters.db"));
        await host.UntilAsync(HealthStatus.Healthy);
        Directory.Move(directory, $"{directory}.gone");

        (await host.UntilAsync(HealthStatus.Unhealthy)).ShouldContain("there is no directory");
        Directory.Move($"{directory}.gone", directory);

        await host.UntilAsync(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_database_that_was_deleted_is_unhealthy_once_and_healthy_when_there_is_a_new_one()
    {
        await using var host = await StartAsync(_database.Path);
        await host.UntilAsync(HealthStatus.Healthy);
        foreach (string file in Directory.GetFiles(_database.Directory))
            File.Delete(file);

        (await host.UntilAsync(HealthStatus.Unhealthy)).ShouldContain("was deleted while in use: its contents are lost");

        await host.UntilAsync(HealthStatus.Healthy);
    }

    [Theory]
    [InlineData("CREATE TRIGGER no BEFORE INSERT ON dead_letters BEGIN SELECT RAISE(ABORT, 'no letters'); END", "DROP TRIGGER no")]
    [InlineData("ALTER TABLE dead_letters RENAME TO mislaid", "ALTER TABLE mislaid RENAME TO dead_letters")]
    [InlineData("ALTER TABLE dead_letters ADD COLUMN extra TEXT CHECK (extra IS NOT NULL)", "ALTER TABLE dead_letters DROP COLUMN extra")]
    public async Task A_table_that_accepts_no_letter_is_unhealthy_until_it_does(string fault, string mended)
    {
        await using var host = await StartAsync(_database.Path);
        await host.UntilAsync(HealthStatus.Healthy);
        await _database.ScalarAsync(fault);

        await host.UntilAsync(HealthStatus.Unhealthy);
        await _database.ScalarAsync(mended);

        await host.UntilAsync(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_database_that_another_process_locks_is_unhealthy_until_it_is_free()
    {
        await using var host = await StartAsync(_database.Path);
        await host.UntilAsync(HealthStatus.Healthy);
        await using (var other = new SqliteConnection($"{_database.ConnectionString};Pooling=false"))
        {
            await other.OpenAsync(TestContext.Current.CancellationToken);
            await using var begin = other.CreateCommand();
            begin.CommandText = "BEGIN IMMEDIATE";
            await begin.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

            await host.UntilAsync(HealthStatus.Unhealthy);
        }

        await host.UntilAsync(HealthStatus.Healthy);
    }

    [Fact]
    public async Task Letters_that_this_process_leaves_to_others_are_degraded_when_no_other_takes_them()
    {
        await using var host = await HealthyHost.StartAsync(
            s => _database.AddTo(s), s => s.AddDeadLetterReplay());
        await host.UntilAsync(HealthStatus.Healthy);
        var letter = Letters.Plain(DateTimeOffset.UtcNow, KeepingHost.Client) with { Uri = new("https://elsewhere.test/orders") };
        await _database.Open().DeadLetters.AddAsync(letter, TestContext.Current.CancellationToken);

        (await host.UntilAsync(HealthStatus.Degraded)).ShouldBe(
            "the dead letters of client orders for https://elsewhere.test are left to another process, and none takes them "
            + "(DeadLetter:AllowedAuthorities).");
        await _database.Open().DeadLetters.UpdateAsync(
            (await _database.Open().DeadLetters.FindAsync(letter.Id, TestContext.Current.CancellationToken))! with
            {
                Status = DeadLetterStatus.Resolved,
            }, TestContext.Current.CancellationToken);

        await host.UntilAsync(HealthStatus.Healthy);
    }

    private static Task<HealthyHost> StartAsync(string path) =>
        HealthyHost.StartAsync(services => services.AddHttpResilienceStorage(storage => storage.UseSqlite($"Data Source={path}")));

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
