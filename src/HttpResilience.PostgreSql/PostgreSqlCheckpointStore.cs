using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>
/// The checkpoints of a PostgreSQL database. Every operation is safe to repeat when its answer was lost. Each statement takes the
/// batch's name in two forms, for rows of this application and for rows without one: a batch of version 1 is resumed at its checkpoint.
/// </summary>
internal sealed class PostgreSqlCheckpointStore(PostgreSqlDatabase database, StoredApplication application, StoredRows rows)
    : ICheckpointStore
{
    private const string BeginSql = """
        INSERT INTO http_resilience.checkpoints AS c (name, owner, lease_until, position, done)
        SELECT coalesce((SELECT name FROM http_resilience.checkpoints WHERE name IN ($1, $2) ORDER BY name <> $1 LIMIT 1), $1),
          $3, $4, 0, '[]'
        ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
        WHERE c.owner = excluded.owner OR c.lease_until <= $5
        """;

    private const string ReadSql = """
        SELECT owner, lease_until, position, done FROM http_resilience.checkpoints WHERE name IN ($1, $2) ORDER BY name <> $1 LIMIT 1
        """;

    // Locks the row, so that the rest of the transaction applies to its owner only.
    private const string SaveSql = """
        UPDATE http_resilience.checkpoints SET lease_until = $4, position = $5, done = $6
        WHERE name IN ($1, $2) AND owner = $3 RETURNING 1
        """;

    // The time at which the first run began stays.
    private static readonly string SaveRunSql = $"""
        UPDATE http_resilience.checkpoints SET {string.Join(", ", BatchColumns.OfRun.Select((c, i) =>
            c.Name == "begun_at" ? $"begun_at = coalesce(begun_at, ${i + 4})" : $"{c.Name} = ${i + 4}"))}
        WHERE name IN ($1, $2) AND owner = $3
        """;

    private static readonly string BatchesSql =
        $"SELECT {BatchColumns.Selected("http_resilience.checkpoint_failures")} FROM http_resilience.checkpoints c";

    private static readonly string ListSql = $"""
        {BatchesSql} WHERE strpos(c.name, $1) = 0 OR starts_with(c.name, $2)
        ORDER BY c.run_saved_at DESC NULLS LAST, c.name LIMIT $3
        """;

    private static readonly string FindSql = $"{BatchesSql} WHERE c.name IN ($1, $2)";

    private const string Owned = "FROM http_resilience.checkpoints WHERE name IN ($1, $2) AND owner = $3";

    private const string HealSql =
        $"DELETE FROM http_resilience.checkpoint_failures WHERE name = (SELECT name {Owned}) AND record_index = ANY ($4)";

    private static readonly string FailSql = $"""
        INSERT INTO http_resilience.checkpoint_failures (name, {FailureColumns.Names})
        SELECT name, {string.Join(", ", FailureColumns.All.Select((_, i) => $"${i + 4}"))} {Owned}
        ON CONFLICT (name, record_index) DO UPDATE
        SET {string.Join(", ", FailureColumns.All.Skip(1).Select(c => $"{c.Name} = excluded.{c.Name}"))}
        """;

    private static readonly string FailuresSql = $"""
        SELECT {FailureColumns.Names} FROM http_resilience.checkpoint_failures
        WHERE name = (SELECT name FROM http_resilience.checkpoints WHERE name IN ($1, $2) ORDER BY name <> $1 LIMIT 1)
          AND record_index > $3 ORDER BY record_index LIMIT $4
        """;

    /// <inheritdoc cref="PostgreSqlClock.Ahead"/>
    private TimeSpan Ahead => database.Clock.Ahead;

    public async Task<StoredCheckpoint> BeginAsync(
        string name, Guid owner, DateTimeOffset now, DateTimeOffset leaseUntil, CancellationToken cancellationToken)
    {
        return await database.RunAsync(async (connection, _) =>
        {
            using var batch = PostgreSqlWriter.Durable(connection);
            batch.BatchCommands.Add(new(database.Sql(BeginSql))
            {
                Parameters =
                {
                    Text(application.Own(name)), Text(StoredApplication.OfNone(name)), Value(owner), Time(leaseUntil.Plus(Ahead)),
                    Time(now.Plus(Ahead)),
                },
            });
            batch.BatchCommands.Add(new(database.Sql(ReadSql))
            {
                Parameters = { Text(application.Own(name)), Text(StoredApplication.OfNone(name)) },
            });
            var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            while (reader.FieldCount != 4)
                await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var begun = StoredRows.OrThrow($"the checkpoint '{name}'", () => new StoredCheckpoint(
                reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1).Plus(-Ahead), reader.GetInt64(2),
                StoredJson.Ranges(reader.GetString(3))));
            // An error of the commit arrives with the last result.
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            return begun;
        }, cancellationToken).ConfigureAwait(false);
    }

    public async Task<bool> SaveAsync(CheckpointUpdate update, CancellationToken cancellationToken)
    {
        return await database.RunAsync(
            (connection, _) => SaveAsync(connection, update with { LeaseUntil = update.LeaseUntil.Plus(Ahead) }, cancellationToken),
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> SaveAsync(NpgsqlConnection connection, CheckpointUpdate update, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var transactionScope = transaction.ConfigureAwait(false);
        using var batch = PostgreSqlWriter.Durable(connection);
        batch.BatchCommands.Add(
            Command(SaveSql, update, Time(update.LeaseUntil), Value(update.Position), Text(StoredJson.Ranges(update.Done))));
        if (update.Run is { } run)
        {
            BatchColumns.Row row = new(update.Owner, run);
            batch.BatchCommands.Add(Command(SaveRunSql, update, [.. BatchColumns.OfRun.Select(c => c.Write(row)!)]));
        }

        if (update.Healed.Count > 0)
            batch.BatchCommands.Add(Command(HealSql, update, Value(update.Healed.ToArray())));
        foreach (var failure in update.Failed)
            batch.BatchCommands.Add(Command(FailSql, update, [.. FailureColumns.All.Select(c => c.Write(failure)!)]));
        bool isOwn;
        var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            isOwn = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return isOwn;
    }

    public Task<IReadOnlyList<BatchFailure>> FailuresAsync(string name, long? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return database.RunAsync<IReadOnlyList<BatchFailure>>(async (connection, _) =>
        {
            using var command = new NpgsqlCommand(database.Sql(FailuresSql), connection)
            {
                Parameters = { Text(application.Own(name)), Text(StoredApplication.OfNone(name)), Value(after ?? -1), Value((long)limit) },
            };
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            List<BatchFailure> failures = [];
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                failures.Add(FailureColumns.Read(reader, rows));
            return failures;
        }, cancellationToken);
    }

    public Task<IReadOnlyList<StoredBatch>> ListAsync(int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return BatchesAsync(
            () => new(database.Sql(ListSql))
            {
                Parameters = { Text(StoredApplication.SeparatorText), Text(application.Prefix), Value((long)limit) },
            }, limit, cancellationToken);
    }

    public async Task<StoredBatch?> FindAsync(string name, CancellationToken cancellationToken) => (await BatchesAsync(
        () => new(database.Sql(FindSql)) { Parameters = { Text(application.Own(name)), Text(StoredApplication.OfNone(name)) } }, 1,
        cancellationToken).ConfigureAwait(false)) is [var batch] ? batch : null;

    private Task<IReadOnlyList<StoredBatch>> BatchesAsync(Func<NpgsqlCommand> query, int limit, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, _) =>
    {
        using var command = query();
        command.Connection = connection;
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<(bool, StoredBatch)> batches = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (rows.Or("checkpoints", () => BatchColumns.Read(reader, application, Ahead), _ => null) is { } batch)
                batches.Add(batch);
        }

        return BatchList.Of(batches, limit);
    }, cancellationToken);

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => database.RunAsync(async (connection, tries) =>
    {
        using var command = new NpgsqlCommand(
            database.Sql("""
                WITH failures AS (DELETE FROM http_resilience.checkpoint_failures WHERE name IN ($1, $2))
                DELETE FROM http_resilience.checkpoints WHERE name IN ($1, $2)
                """), connection)
        {
            Parameters = { Text(application.Own(name)), Text(StoredApplication.OfNone(name)) },
        };
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) > 0 || tries > 0;
    }, cancellationToken);

    private NpgsqlBatchCommand Command(string sql, CheckpointUpdate update, params ReadOnlySpan<NpgsqlParameter> more)
    {
        var command = new NpgsqlBatchCommand(database.Sql(sql))
        {
            Parameters = { Text(application.Own(update.Name)), Text(StoredApplication.OfNone(update.Name)), Value(update.Owner) },
        };
        foreach (var parameter in more)
            command.Parameters.Add(parameter);
        return command;
    }
}
