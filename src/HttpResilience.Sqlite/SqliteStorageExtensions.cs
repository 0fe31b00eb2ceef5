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
        /// Keeps everything in a SQLite database: for one machine, whose processes may share the file. It is created on first use, readable by its owner only,
        /// in WAL mode; every change is on the disk before it is reported as made.
        /// </summary>
        /// <param name="connectionString">
        /// As Microsoft.Data.Sqlite has it: <c>Data Source=resilience.db</c>; the directory must exist. <c>Default Timeout</c> says how many seconds a change
        /// waits for another process that is writing. Default: 10. Null to take <c>HttpResilience:Storage:ConnectionString</c>.
        /// </param>
        /// <returns>The same builder.</returns>
        /// <exception cref="HttpResilienceStorageException">When the store is made: the connection string is not one of a file that can be written.</exception>
        public HttpResilienceStorageBuilder UseSqlite(string? connectionString = null)
        {
            ArgumentNullException.ThrowIfNull(storage);
            return storage.Use(new("Sqlite", connectionString, static (services, connectionString) => new SqliteStorage(
                SqliteDatabase.From(connectionString, SqliteSchema.Current),
                services.GetService<TimeProvider>() ?? TimeProvider.System,
                services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance)));
        }
    }
}
