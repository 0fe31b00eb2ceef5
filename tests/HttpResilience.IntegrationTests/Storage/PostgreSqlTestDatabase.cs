using System.Data.Common;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
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

    /// <summary>The schema of the stores.</summary>
    internal string Schema { get; init; } = "http_resilience";

    protected override void Use(HttpResilienceStorageBuilder storage, string connectionString)
    {
        storage.Services.TryAddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection([new("HttpResilience:Storage:Schema", Schema)]).Build());
        storage.UsePostgreSql(connectionString);
    }

    protected override DbConnection Connect() => new NpgsqlConnection($"{ConnectionString};Pooling=false;Search Path={Schema}");

    // Deleted with the server.
    protected override ValueTask DeleteAsync() => ValueTask.CompletedTask;
}
