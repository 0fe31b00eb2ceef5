using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>A SQLite file in its own directory.</summary>
internal sealed class SqliteTestDatabase : TestDatabase
{
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("httpresilience-");

    internal SqliteTestDatabase() => ConnectionString = $"Data Source={Path}";

    internal string Directory => _directory.FullName;

    internal string Path => System.IO.Path.Combine(Directory, "letters.db");

    protected override void Use(HttpResilienceStorageBuilder storage, string connectionString) => storage.UseSqlite(connectionString);

    protected override DbConnection Connect() => new SqliteConnection($"{ConnectionString};Pooling=false");

    protected override ValueTask DeleteAsync()
    {
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
