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
        /// Keeps everything in the schema <c>http_resilience</c> of a PostgreSQL database (13 or later), which many machines may share. The schema is created on
        /// first use, for which the user needs CREATE on the database, or on that schema where an administrator has made it.
        /// </summary>
        /// <param name="connectionString">
        /// As Npgsql has it. Where it says nothing of them: <c>Timeout=5</c>, <c>Command Timeout=10</c>, <c>Max Auto Prepare=20</c>,
        /// <c>Application Name=HttpResilience</c>. Null to take <c>HttpResilience:Storage:ConnectionString</c>.
        /// </param>
        /// <returns>The same builder.</returns>
        /// <exception cref="HttpResilienceStorageException">When the store is made: the connection string is not valid.</exception>
        public HttpResilienceStorageBuilder UsePostgreSql(string? connectionString = null)
        {
            ArgumentNullException.ThrowIfNull(storage);
            return storage.Use(new("PostgreSql", connectionString, static (services, connectionString) => new PostgreSqlStorage(
                PostgreSqlDatabase.From(connectionString, PostgreSqlSchema.Current, services.GetService<TimeProvider>() ?? TimeProvider.System),
                services.GetService<TimeProvider>() ?? TimeProvider.System,
                services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance)));
        }
    }
}
