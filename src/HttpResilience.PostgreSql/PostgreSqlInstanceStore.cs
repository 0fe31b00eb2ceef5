using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The processes that use a PostgreSQL database. Every operation may be repeated when its answer was lost.</summary>
internal sealed class PostgreSqlInstanceStore(PostgreSqlDatabase database, StoredRows rows) : IInstanceStore
{
    private static readonly string SaveSql = $"""
        INSERT INTO http_resilience.instances ({InstanceColumns.Names})
        VALUES ({string.Join(", ", InstanceColumns.All.Select((_, i) => $"${i + 1}"))})
        ON CONFLICT (id) DO UPDATE SET {InstanceColumns.Changes}
        """;

    private static readonly string ListSql =
        $"SELECT {InstanceColumns.Names} FROM http_resilience.instances WHERE seen_at >= $1 ORDER BY id";

    public Task SaveAsync(StorageInstance instance, CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(SaveSql), connection);
        foreach (var column in InstanceColumns.All)
            command.Parameters.Add(column.Write(At(instance, database.Clock.Ahead))!);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }, cancellationToken);

    public Task<IReadOnlyList<StorageInstance>> ListAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<StorageInstance>>(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(ListSql), connection)
        {
            Parameters = { Time(since.Plus(database.Clock.Ahead)) },
        };
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<StorageInstance> instances = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (rows.OrNull("instances", () => InstanceColumns.Read(reader)) is { } instance)
                instances.Add(At(instance, -database.Clock.Ahead));
        }

        return instances;
    }, cancellationToken);

    // The counts of letters of sessions that have ended are merged: their number does not grow. The difference from the letters is added:
    // a copy of a database, or a trigger that an administrator disabled, leaves one. One process at a time adds it.
    private static readonly string LockCountsSql = $"SELECT pg_advisory_xact_lock({PostgreSqlSchema.CountLock})";

    private const string MendCountsSql = """
        WITH ended AS (
          DELETE FROM http_resilience.letter_counts
          WHERE session <> 0 AND session NOT IN (SELECT pid FROM pg_stat_activity) RETURNING application, status, letters
        ), missing AS (
          SELECT application, status, count(*) AS letters FROM http_resilience.dead_letters GROUP BY application, status
          UNION ALL
          SELECT application, status, -letters FROM http_resilience.letter_counts
        )
        INSERT INTO http_resilience.letter_counts AS c
        SELECT application, status, 0, sum(letters) FROM (SELECT * FROM ended UNION ALL SELECT * FROM missing) AS changes
        GROUP BY application, status HAVING sum(letters) <> 0
        ON CONFLICT (application, status, session) DO UPDATE SET letters = c.letters + excluded.letters
        """;

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var batch = new NpgsqlBatch(connection);
        var purge = new NpgsqlBatchCommand(database.Sql("DELETE FROM http_resilience.instances WHERE seen_at < $1"))
        {
            Parameters = { Time(before.Plus(database.Clock.Ahead)) },
        };
        batch.BatchCommands.Add(purge);
        batch.BatchCommands.Add(new(LockCountsSql));
        batch.BatchCommands.Add(new(database.Sql(MendCountsSql)));
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        return (int)purge.RecordsAffected;
    }, cancellationToken);

    private static StorageInstance At(StorageInstance instance, TimeSpan ahead) => instance with
    {
        StartedAt = instance.StartedAt.Plus(ahead),
        SeenAt = instance.SeenAt.Plus(ahead),
        Report = instance.Report is not { } report ? null
            : report with { Circuits = [.. report.Circuits.Select(c => c with { Since = c.Since?.Plus(ahead) })] },
    };
}
