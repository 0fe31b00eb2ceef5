using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience;

/// <summary>Durable storage in a PostgreSQL database.</summary>
public static class PostgreSqlStorageExtensions
{
    extension(HttpResilienceStorageBuilder storage)
    {
        /// <summary>
        /// Stores in a schema of a PostgreSQL database (13 or later, encoding UTF8), which many machines may share:
        /// <c>http_resilience</c>, or the one that <c>HttpResilience:Storage:Schema</c> names. It is created on first use, for which the
        /// user needs the right CREATE on the database, or on that schema where an administrator has created it.
        /// </summary>
        /// <param name="connectionString">
        /// In the format of Npgsql. Defaults that differ from Npgsql's: <c>Timeout=5</c>, <c>Command Timeout=10</c>, <c>Cancellation
        /// Timeout=500</c>, <c>No Reset On Close=true</c>, <c>Host Recheck Seconds=1</c>, <c>Application Name=HttpResilience</c>; with
        /// several hosts <c>Target Session Attributes=primary</c>. <c>Enlist</c> is always false: what was stored stays when the
        /// <c>TransactionScope</c> of a caller is rolled back. Null to read <c>HttpResilience:Storage:ConnectionString</c>.
        /// </param>
        /// <returns>The same builder.</returns>
        /// <exception cref="HttpResilienceStorageException">
        /// The connection string is not valid; thrown when the store is created.
        /// </exception>
        public HttpResilienceStorageBuilder UsePostgreSql(string? connectionString = null)
        {
            ArgumentNullException.ThrowIfNull(storage);
            return storage.Use(new("PostgreSql", connectionString, static (services, connectionString) => new PostgreSqlStorage(
                PostgreSqlDatabase.From(
                    connectionString,
                    PostgreSqlSchema.Current.Named(services.GetService<IConfiguration>()?["HttpResilience:Storage:Schema"]),
                    services.GetRequiredService<TimeProvider>()),
                new StoredApplication(services.GetRequiredService<StorageApplication>().Name),
                services.GetRequiredService<TimeProvider>(),
                services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance)));
        }
    }
}
