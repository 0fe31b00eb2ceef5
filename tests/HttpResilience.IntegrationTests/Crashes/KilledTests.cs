using HttpResilience.IntegrationTests.Storage;
using Microsoft.Data.Sqlite;

namespace HttpResilience.IntegrationTests.Crashes;

[Collection("Crashes on SQLite")]
public sealed class SqliteKilledTests : KilledContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override Task ShouldBeSoundAsync() => SqliteCheck.ShouldBeSoundAsync(Database);
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlKilledTests(PostgreSqlServer server) : KilledContract
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection("Crashes on SQLite")]
public sealed class SqliteKilledAtMomentTests : KilledAtMomentContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override Task ShouldBeSoundAsync() => SqliteCheck.ShouldBeSoundAsync(Database);
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlKilledAtMomentTests(PostgreSqlServer server) : KilledAtMomentContract
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

internal static class SqliteCheck
{
    internal static async Task ShouldBeSoundAsync(TestDatabase database)
    {
        await using var connection = new SqliteConnection($"{database.ConnectionString};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var check = connection.CreateCommand();
        check.CommandText = "PRAGMA integrity_check";
        (await check.ExecuteScalarAsync(TestContext.Current.CancellationToken)).ShouldBe("ok");
    }
}

[Collection("Crashes on SQLite")]
public sealed class SqliteDeadlyLetterTests : DeadlyLetterContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlDeadlyLetterTests(PostgreSqlServer server) : DeadlyLetterContract
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

[Collection("Crashes on SQLite")]
public sealed class SqliteLargeLettersTests : LargeLettersContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlLargeLettersTests(PostgreSqlServer server) : LargeLettersContract
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
