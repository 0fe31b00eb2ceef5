namespace HttpResilience.IntegrationTests.Storage;

/// <summary>A database of the server.</summary>
internal sealed class PostgreSqlTestDatabase : TestDatabase
{
    internal PostgreSqlTestDatabase(PostgreSqlServer server, string name)
    {
        (Server, Name) = (server, name);
        ConnectionString = server.ConnectionString(name);
    }

    internal PostgreSqlServer Server { get; }

    internal string Name { get; }

    protected override void Use(HttpResilienceStorageBuilder storage, string connectionString) => storage.UsePostgreSql(connectionString);

    // Goes with the server.
    protected override ValueTask DeleteAsync() => ValueTask.CompletedTask;
}
