using HttpResilience.IntegrationTests.Storage;
using Microsoft.Data.Sqlite;

namespace HttpResilience.IntegrationTests.Tool;

/// <summary>How the tool finds its store, and what it says when it cannot use it.</summary>
public sealed class ToolStoreTests(PostgreSqlServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_store_is_named_by_an_option_a_file_or_the_environment()
    {
        await using var database = new SqliteTestDatabase();
        var letter = Letters.Plain();
        await database.Open().DeadLetters.AddAsync(letter, Stop);
        using var tool = new ToolProgram { Store = "elsewhere.db" };
        tool.Write("store", $"{database.ConnectionString}\n");

        (await tool.ExpectAsync(3, "letters", "list")).Error.ShouldContain("There is no SQLite file elsewhere.db.");
        (await tool.ExpectAsync(0, "letters", "list", "--store", database.Path)).Output.ShouldContain(letter.Id.ToString()[..13]);
        (await tool.ExpectAsync(0, "letters", "list", "--store-file", "store")).Output.ShouldContain(letter.Id.ToString()[..13]);
        (await tool.ExpectAsync(1, "letters", "list", "--store-file", "nothing")).Error.ShouldContain("cannot be read");
        File.Exists(tool.PathOf("elsewhere.db")).ShouldBeFalse();
    }

    [Fact]
    public async Task Without_a_store_it_says_how_to_name_one()
    {
        using var tool = new ToolProgram();

        (await tool.ExpectAsync(2, "letters", "list")).Error.ShouldContain("Set HTTP_RESILIENCE_STORE");
        (await tool.ExpectAsync(2, "letters", "list", "--store", "Password=hunter2")).Error.ShouldNotContain("hunter2");
        var uri = await tool.ExpectAsync(2, "letters", "list", "--store", "postgresql://me:hunter2@db/letters");
        uri.Error.ShouldContain("Host=…");
        uri.Error.ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task A_store_that_is_away_ends_it_with_3_and_no_password()
    {
        using var tool = new ToolProgram { Store = $"Host=127.0.0.1;Port={Ports.Closed()};Username=me;Password=hunter2;Database=letters" };

        foreach (string[] command in (string[][])[["list"], ["purge", "--yes"]])
        {
            var run = await tool.ExpectAsync(3, ["letters", .. command]);
            (run.Output + run.Error).ShouldNotContain("hunter2");
            run.Error.ShouldNotContain("   at ");
        }
    }

    [Fact]
    public async Task A_store_of_another_schema_is_named()
    {
        await using var database = await server.CreateDatabaseAsync();
        using var tool = new ToolProgram { Store = database.ConnectionString };

        (await tool.ExpectAsync(1, "letters", "list", "--schema", "billing_letters")).Error.ShouldContain("No letter in PostgreSQL, ");
        (await database.ScalarAsync("SELECT count(*) FROM billing_letters.dead_letters")).ShouldBe(0L);
    }

    [Fact]
    public async Task A_newer_store_is_left_as_it_is()
    {
        await using var sqlite = new SqliteTestDatabase();
        await sqlite.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await sqlite.ScalarAsync("PRAGMA user_version = 999; UPDATE schema_version SET lowest_reader = 999");
        await using var postgreSql = await server.CreateDatabaseAsync();
        await postgreSql.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await postgreSql.ScalarAsync("UPDATE schema_version SET version = 999, lowest_reader = 999");

        foreach (string store in (string[])[sqlite.Path, postgreSql.ConnectionString])
        {
            using var tool = new ToolProgram { Store = store };
            (await tool.ExpectAsync(3, "letters", "list")).Error.ShouldContain("update the package");
        }
    }

    [Fact]
    public async Task A_file_that_is_no_store_is_left_as_it_is()
    {
        using var tool = new ToolProgram();
        tool.Write("letters.txt", "not a database, and longer than a hundred bytes, so that SQLite looks into it and says what it thinks.");
        await using (var other = new SqliteConnection($"Data Source={tool.PathOf("other.db")};Pooling=false"))
        {
            await other.OpenAsync(Stop);
            await using var create = other.CreateCommand();
            create.CommandText = "CREATE TABLE mine (a)";
            await create.ExecuteNonQueryAsync(Stop);
        }

        (await tool.ExpectAsync(3, "letters", "list", "--store", "letters.txt")).Error.ShouldContain("is not a SQLite database");
        (await tool.ExpectAsync(3, "letters", "list", "--store", "other.db")).Error.ShouldContain("is not one of HttpResilience");
    }

    [Fact]
    public async Task Letters_that_are_protected_are_shown_without_what_they_protect_and_sent_again_unchanged()
    {
        await using var database = new SqliteTestDatabase();
        var ring = Directory.CreateTempSubdirectory("key-ring-");
        await using var process = new ProtectedProcess(database, ring.FullName);
        var letter = Letters.Plain(status: DeadLetterStatus.RequiresReview) with
        {
            Body = "sealed"u8.ToArray(),
            ProtectedWith = "",
            FirstFailedAt = DateTimeOffset.UtcNow,
            LastFailedAt = DateTimeOffset.UtcNow,
        };
        await process.Letters.AddAsync(letter, Stop);
        using var tool = new ToolProgram { Store = database.Path };

        (await tool.ExpectAsync(0, "letters", "show", letter.Id.ToString())).Output.ShouldContain("only the application can read it");
        (await tool.ExpectAsync(1, "letters", "edit", letter.Id.ToString(), "--set", "a=b")).Error.ShouldContain("only the application");
        await tool.ExpectAsync(0, "letters", "replay", letter.Id.ToString());
        var stored = (await process.Letters.FindAsync(letter.Id, Stop))!;
        stored.Status.ShouldBe(DeadLetterStatus.Pending);
        stored.Body!.Value.ToArray().ShouldBe("sealed"u8.ToArray());
        ring.Delete(recursive: true);
    }
}
