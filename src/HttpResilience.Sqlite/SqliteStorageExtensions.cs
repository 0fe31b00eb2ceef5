using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience;

/// <summary>Durable storage in an embedded SQLite database.</summary>
public static class SqliteStorageExtensions
{
    extension(HttpResilienceStorageBuilder storage)
    {
        /// <summary>
        /// Keeps everything in a SQLite database: for one machine, whose processes may share the file. It is created on first use, readable
        /// by its owner only, in WAL mode; every change is on the disk before it is reported as made.
        /// </summary>
        /// <param name="connectionString">
        /// In the format of Microsoft.Data.Sqlite: <c>Data Source=resilience.db</c>; the directory must exist. <c>Default Timeout</c> is
        /// the time in seconds that a change waits for another process that writes. Default: 8, which is the most for letters, as their
        /// calls wait 10 s. Null to read <c>HttpResilience:Storage:ConnectionString</c>.
        /// </param>
        /// <returns>The same builder.</returns>
        /// <exception cref="HttpResilienceStorageException">
        /// The connection string does not name a file; thrown when the store is created.
        /// </exception>
        public HttpResilienceStorageBuilder UseSqlite(string? connectionString = null)
        {
            ArgumentNullException.ThrowIfNull(storage);
            return storage.Use(new("Sqlite", connectionString, static (services, connectionString) => new SqliteStorage(
                SqliteDatabase.From(connectionString, SqliteSchema.Current),
                new StoredApplication(services.GetRequiredService<StorageApplication>().Name),
                services.GetRequiredService<TimeProvider>(),
                services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance)));
        }
    }
}
