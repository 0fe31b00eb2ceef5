using System.Data.Common;
using Npgsql;

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

    protected override DbConnection Connect() => new NpgsqlConnection($"{ConnectionString};Pooling=false;Search Path=http_resilience");

    // Deleted with the server.
    protected override ValueTask DeleteAsync() => ValueTask.CompletedTask;
}
