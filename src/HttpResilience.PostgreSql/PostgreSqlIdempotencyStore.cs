using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The remembered calls of a PostgreSQL database.</summary>
internal sealed class PostgreSqlIdempotencyStore(
    PostgreSqlDatabase database, PostgreSqlWriter writer, StoredApplication application)
    : IIdempotencyStore
{
    private const string Columns = "fingerprint, owner, lease_until, is_in_doubt, status_code, reason_phrase, headers, body, begun_at";

    private const string MayBegin =
        "(r.expires_at <= $7 OR (r.status_code IS NULL AND r.fingerprint = $4 AND (r.owner = $3 OR r.lease_until <= $7)))";

    // $1 and $8 are the client's name in the rows of this application and of none: a key of version 1 that has not expired is honoured.
    // The SELECT reads the snapshot from before the insert. A row that may begin there has changed since, or it would have begun.
    private const string BeginSql = $"""
        WITH client AS (
          SELECT coalesce((
            SELECT client_name FROM http_resilience.remembered_calls
            WHERE client_name IN ($1, $8) AND key = $2 AND (expires_at IS NULL OR expires_at > $7)
            ORDER BY client_name <> $1 LIMIT 1), $1) AS name
        ), begun AS (
          INSERT INTO http_resilience.remembered_calls AS r
            (client_name, key, owner, fingerprint, lease_until, is_in_doubt, expires_at, begun_at)
          SELECT name, $2, $3, $4, $5, FALSE, $6, $7 FROM client
          ON CONFLICT (client_name, key) DO UPDATE SET
            is_in_doubt = CASE WHEN r.expires_at <= $7 THEN FALSE WHEN r.owner = excluded.owner THEN r.is_in_doubt ELSE TRUE END,
            begun_at = CASE WHEN r.expires_at <= $7 THEN excluded.begun_at ELSE r.begun_at END,
            fingerprint = excluded.fingerprint, owner = excluded.owner, lease_until = excluded.lease_until,
            expires_at = excluded.expires_at,
            status_code = NULL, reason_phrase = NULL, headers = NULL, body = NULL
          WHERE {MayBegin}
          RETURNING {Columns}
        )
        SELECT {Columns} FROM begun
        UNION ALL
        SELECT {Columns} FROM http_resilience.remembered_calls AS r
        WHERE client_name = (SELECT name FROM client) AND key = $2 AND {MayBegin} IS NOT TRUE AND NOT EXISTS (SELECT 1 FROM begun)
        """;

    private const string CompleteSql = """
        UPDATE http_resilience.remembered_calls
        SET expires_at = $4, is_in_doubt = FALSE, status_code = $5, reason_phrase = $6, headers = $7, body = $8
        WHERE client_name IN ($1, $9) AND key = $2 AND owner = $3 RETURNING 1
        """;

    private const string ForgetSql = """
        DELETE FROM http_resilience.remembered_calls
        WHERE client_name IN ($1, $4) AND key = $2 AND owner = $3 AND status_code IS NULL RETURNING 1
        """;

    /// <inheritdoc cref="PostgreSqlClock.Ahead"/>
    private TimeSpan Ahead => database.Clock.Ahead;

    public Task<RememberedCall> BeginAsync(RememberedRequest request, CancellationToken cancellationToken) =>
        // Around the writer, which writes other changes with this one and isolates the one whose row cannot be read.
        StoredRows.OrThrowAsync($"the key '{request.Key}'", () => BeginRowAsync(request, cancellationToken));

    private async Task<RememberedCall> BeginRowAsync(RememberedRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            var call = await writer.RunAsync(
                () => Command(
                    BeginSql, request, Text(request.Fingerprint), Time(request.LeaseUntil.Plus(Ahead)),
                    Time(request.ExpiresAt?.Plus(Ahead)), Time(request.Now.Plus(Ahead))),
                async reader =>
                    await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false) ? Read(reader, request.Owner, Ahead) : null,
                notifies: false, cancellationToken, PendingWrite.KeyTimeout).ConfigureAwait(false);
            // Another session changed the row after this statement's snapshot, so the insert did nothing; the next statement sees it.
            if (call.Value is not null)
                return call.Value;
        }
    }

    public async Task<bool> CompleteAsync(
        RememberedRequest request, RememberedResponse response, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var completed = await writer.RunAsync(
            () => Command(
                CompleteSql, request, Time(expiresAt.Plus(Ahead)), Value(response.StatusCode), Text(response.ReasonPhrase),
                Text(StoredJson.Pairs(response.Headers)), Bytes(response.Body)),
            PostgreSqlWriter.HasRowAsync, notifies: false, cancellationToken, PendingWrite.KeyTimeout).ConfigureAwait(false);
        return completed.Value;
    }

    public async Task<bool> ForgetAsync(RememberedRequest request, CancellationToken cancellationToken)
    {
        var forgotten = await writer.RunAsync(
            () => Command(ForgetSql, request), PostgreSqlWriter.HasRowAsync, notifies: false, cancellationToken, PendingWrite.KeyTimeout)
            .ConfigureAwait(false);
        return forgotten.Value || (forgotten.WasSentBefore && !await IsThereAsync(request, cancellationToken).ConfigureAwait(false));
    }

    public async Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        return await database.RunAsync(async (connection, _) =>
        {
            using var command = new NpgsqlCommand(
                database.Sql("DELETE FROM http_resilience.remembered_calls WHERE expires_at <= $1"), connection)
            {
                Parameters = { Time(now.Plus(Ahead)) },
            };
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    private Task<bool> IsThereAsync(RememberedRequest request, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(
            database.Sql("SELECT 1 FROM http_resilience.remembered_calls WHERE client_name IN ($1, $4) AND key = $2 AND owner = $3"),
            connection)
        {
            Parameters =
            {
                Text(application.Own(request.ClientName)), Text(request.Key), Value(request.Owner),
                Text(StoredApplication.OfNone(request.ClientName)),
            },
        };
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not null;
    }, cancellationToken);

    // The last parameter is the client's name in the rows of no application.
    private NpgsqlBatchCommand Command(string sql, RememberedRequest request, params ReadOnlySpan<NpgsqlParameter> more)
    {
        var command = new NpgsqlBatchCommand(database.Sql(sql))
        {
            Parameters = { Text(application.Own(request.ClientName)), Text(request.Key), Value(request.Owner) },
        };
        foreach (var parameter in more)
            command.Parameters.Add(parameter);
        command.Parameters.Add(Text(StoredApplication.OfNone(request.ClientName)));
        return command;
    }

    private static RememberedCall Read(NpgsqlDataReader row, Guid asking, TimeSpan ahead)
    {
        var owner = row.GetGuid(1);
        RememberedResponse? response = row.IsDBNull(4)
            ? null
            : new(
                row.GetInt32(4), row.IsDBNull(5) ? null : row.GetString(5),
                StoredJson.Pairs(row.GetString(6)), row.GetFieldValue<byte[]>(7));
        bool isInDoubt = row.GetBoolean(3) && owner == asking;
        return new(
            row.GetString(0), owner, row.GetFieldValue<DateTimeOffset>(8).Plus(-ahead), row.GetFieldValue<DateTimeOffset>(2).Plus(-ahead),
            isInDoubt, response);
    }
}
