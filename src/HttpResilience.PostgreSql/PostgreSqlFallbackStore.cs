using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The fallback responses of a PostgreSQL database. Every operation may be repeated when its answer was lost.</summary>
internal sealed class PostgreSqlFallbackStore(PostgreSqlDatabase database, StoredApplication application, StoredRows rows) : IFallbackStore
{
    private const string Columns = "received_at, initial_age, expires_at, status_code, reason_phrase, headers, body";

    private const string SaveSql = $"""
        INSERT INTO http_resilience.fallback_responses AS f (client_name, resource, variant, size, {Columns})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (client_name, resource, variant) DO UPDATE SET
          size = excluded.size, received_at = excluded.received_at, initial_age = excluded.initial_age, expires_at = excluded.expires_at,
          status_code = excluded.status_code, reason_phrase = excluded.reason_phrase, headers = excluded.headers, body = excluded.body
        WHERE f.received_at <= excluded.received_at
        """;

    private const string TrimSql = """
        DELETE FROM http_resilience.fallback_responses AS f USING (
          SELECT client_name, resource, variant, sum(size) OVER (ORDER BY received_at DESC, resource, variant, client_name) AS total
          FROM http_resilience.fallback_responses
          WHERE client_name IN ($1, $3)
            AND (SELECT sum(size) FROM http_resilience.fallback_responses WHERE client_name IN ($1, $3)) > $2
        ) AS r
        WHERE f.client_name = r.client_name AND f.resource = r.resource AND f.variant = r.variant AND r.total > $2
        """;

    public Task SaveAsync(
        string clientName, IReadOnlyList<FallbackResponse> responses, long maxBytes, CancellationToken cancellationToken) => ChangeAsync(
        () =>
        [
            .. responses.Select(r => Save(application.Own(clientName), r)),
            new(TrimSql)
            {
                Parameters = { Text(application.Own(clientName)), Value(maxBytes), Text(StoredApplication.OfNone(clientName)) },
            },
        ],
        cancellationToken);

    public Task<FallbackResponse?> FindAsync(string clientName, string resource, string variant, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, _) =>
        {
            using var command = new NpgsqlCommand(
                database.Sql($"""
                    SELECT {Columns} FROM http_resilience.fallback_responses
                    WHERE client_name IN ($1, $4) AND resource = $2 AND variant = $3 ORDER BY received_at DESC LIMIT 1
                    """), connection)
            {
                Parameters =
                {
                    Text(application.Own(clientName)), Text(resource), Text(variant), Text(StoredApplication.OfNone(clientName)),
                },
            };
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
                ? rows.OrNull("fallback_responses", () => Read(resource, variant, reader)) : null;
        }, cancellationToken);

    public Task<int> RemoveAsync(string clientName, string resource, string? variant, CancellationToken cancellationToken) => ChangeAsync(
        () =>
        [
            new("""
                DELETE FROM http_resilience.fallback_responses
                WHERE client_name IN ($1, $4) AND resource = $2 AND ($3 IS NULL OR variant = $3)
                """)
            {
                Parameters =
                {
                    Text(application.Own(clientName)), Text(resource), Text(variant), Text(StoredApplication.OfNone(clientName)),
                },
            },
        ],
        cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken) => ChangeAsync(
        () => [new("DELETE FROM http_resilience.fallback_responses WHERE expires_at <= $1") { Parameters = { Time(now) } }],
        cancellationToken);

    // One at a time, in one transaction: each changes many rows, and transactions that do so in different orders deadlock.
    private Task<int> ChangeAsync(Func<IEnumerable<NpgsqlBatchCommand>> commands, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, _) =>
    {
        using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new($"SELECT pg_advisory_xact_lock({PostgreSqlSchema.FallbackLock})"));
        foreach (var command in commands())
        {
            command.CommandText = database.Sql(command.CommandText);
            batch.BatchCommands.Add(command);
        }

        return Math.Max(0, await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false));
    }, cancellationToken);

    private static NpgsqlBatchCommand Save(string clientName, FallbackResponse response) => new(SaveSql)
    {
        Parameters =
        {
            Text(clientName), Text(response.Resource), Text(response.Variant), Value(response.Size), Time(response.ReceivedAt),
            Value((long)response.InitialAge.TotalMicroseconds),
            Time(response.ExpiresAt), Value(response.Response.StatusCode), Text(response.Response.ReasonPhrase),
            Text(StoredJson.Pairs(response.Response.Headers)),
            Bytes(response.Response.Body),
        },
    };

    private static FallbackResponse Read(string resource, string variant, NpgsqlDataReader row) => new(
        resource, variant, row.GetFieldValue<DateTimeOffset>(0),
        TimeSpan.FromMicroseconds(row.GetInt64(1)), row.GetFieldValue<DateTimeOffset>(2),
        new(row.GetInt32(3), row.IsDBNull(4) ? null : row.GetString(4), StoredJson.Pairs(row.GetString(5)), row.GetFieldValue<byte[]>(6)));
}
