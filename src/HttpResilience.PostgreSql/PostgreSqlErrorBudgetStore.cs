using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The counts of error budgets in a PostgreSQL database. Every operation may be repeated when its answer was lost.</summary>
internal sealed class PostgreSqlErrorBudgetStore(PostgreSqlDatabase database, StoredApplication application, StoredRows rows)
    : IErrorBudgetStore
{
    private const string RegisterSql = """
        INSERT INTO http_resilience.error_budget_writers AS w (writer, sequence, saved_at) VALUES ($1, $2, $3)
        ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence, saved_at = excluded.saved_at WHERE w.sequence < excluded.sequence
        """;

    private const string AddSql = """
        INSERT INTO http_resilience.error_budget_counts AS c (client_name, period, version, failure_class, calls)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (client_name, period, version, failure_class) DO UPDATE
        SET calls = least(c.calls::numeric + excluded.calls, 9223372036854775807)::bigint
        """;

    private const string PauseSql = """
        INSERT INTO http_resilience.error_budget_pauses AS p (client_name, is_paused, changed_by, changed_at, note, note_at)
        VALUES ($1, $2, $3, $4, $5, $4)
        ON CONFLICT (client_name) DO UPDATE SET is_paused = excluded.is_paused, changed_by = excluded.changed_by,
          changed_at = excluded.changed_at, note = excluded.note, note_at = excluded.note_at
        WHERE p.changed_at < excluded.changed_at
        """;

    // Of two at once the second waits for the first, and then finds its change.
    private const string PauseAfterSql = """
        INSERT INTO http_resilience.error_budget_pauses AS p (client_name, is_paused, changed_by, changed_at, note, note_at)
        SELECT $1, $2, $3, $4, $5, $4 WHERE NOT EXISTS (
          SELECT FROM http_resilience.error_budget_pauses WHERE client_name IN ($1, $6) AND changed_at > coalesce($7, '-infinity'))
        ON CONFLICT (client_name) DO UPDATE SET is_paused = excluded.is_paused, changed_by = excluded.changed_by,
          changed_at = excluded.changed_at, note = excluded.note, note_at = excluded.note_at
        WHERE p.changed_at <= $7 AND p.changed_at < excluded.changed_at
        """;

    private const string StartedSql = """
        INSERT INTO http_resilience.deployed_versions AS v (version, first_seen_at, last_started_at) VALUES ($1, $2, $2)
        ON CONFLICT (version) DO UPDATE SET
          first_seen_at = least(v.first_seen_at, excluded.first_seen_at),
          last_started_at = greatest(v.last_started_at, excluded.last_started_at)
        """;

    // A repeated update finds its sequence already stored, and the first try may have stored it: it counts as added.
    public Task<bool> AddAsync(ErrorBudgetUpdate update, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, tries) =>
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var transactionScope = transaction.ConfigureAwait(false);
        using var register = new NpgsqlCommand(database.Sql(RegisterSql), connection)
        {
            Parameters = { Value(update.Writer), Value(update.Sequence), Time(update.At) },
        };
        if (await register.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 0)
            return tries > 0;
        if (update.Counts.Count > 0)
        {
            using var batch = PostgreSqlWriter.Durable(connection);
            // In one order: transactions that change the same rows in different orders deadlock.
            foreach (var count in update.Counts.OrderBy(c => c.ClientName, StringComparer.Ordinal).ThenBy(c => c.Period)
                .ThenBy(c => c.Version, StringComparer.Ordinal).ThenBy(c => c.FailureClass))
            {
                batch.BatchCommands.Add(new(database.Sql(AddSql))
                {
                    Parameters =
                    {
                        Text(application.Own(count.ClientName)), Time(count.Period), Text(count.Version),
                        Text(count.FailureClass.ToString()), Value(count.Calls),
                    },
                });
            }

            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }, cancellationToken);

    public async Task<IReadOnlyList<ErrorBudgetCount>> LoadAsync(
        string clientName, DateTimeOffset since, CancellationToken cancellationToken)
    {
        return await ReadAsync(
            "error_budget_counts",
            () => new(
                """
                SELECT period, version, failure_class, least(sum(calls), 9223372036854775807)::bigint
                FROM http_resilience.error_budget_counts
                WHERE client_name IN ($1, $3) AND period >= $2
                GROUP BY period, version, failure_class ORDER BY period, version, failure_class
                """)
            {
                Parameters = { Text(application.Own(clientName)), Time(since), Text(StoredApplication.OfNone(clientName)) },
            },
            // A failure class of a newer version is skipped; the other counts remain usable.
            row => StoredText.NamedOrNull<FailureClass>(row.GetString(2)) is { } failureClass
                ? new ErrorBudgetCount(clientName, row.GetString(1), row.GetFieldValue<DateTimeOffset>(0), failureClass, row.GetInt64(3))
                : null,
            cancellationToken).ConfigureAwait(false);
    }

    public Task SetPauseAsync(ErrorBudgetPause pause, CancellationToken cancellationToken) => ChangeAsync(
        () =>
        [
            new(PauseSql)
            {
                Parameters =
                {
                    Text(application.Own(pause.ClientName)), Value(pause.IsPaused), Text(pause.By), Time(pause.At), Text(pause.Note),
                },
            },
        ],
        cancellationToken);

    /// <summary>Stores a change within the transaction of a connection.</summary>
    /// <returns>False when a change is stored that is later than the one that was read.</returns>
    internal static async Task<bool> SaveAsync(
        NpgsqlConnection connection, PostgreSqlDatabase database, ErrorBudgetPause pause, ErrorBudgetPause? read,
        StoredApplication application, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(database.Sql(PauseAfterSql), connection)
        {
            Parameters =
            {
                Text(application.Own(pause.ClientName)), Value(pause.IsPaused), Text(pause.By), Time(pause.At), Text(pause.Note),
                Text(StoredApplication.OfNone(pause.ClientName)), Time(read?.At),
            },
        };
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 1;
    }

    public async Task<IReadOnlyList<ErrorBudgetPause>> PausesAsync(CancellationToken cancellationToken) =>
        application.PausesIn(await ReadAsync(
            "error_budget_pauses",
            () => new("""
                SELECT client_name, is_paused, changed_by, changed_at, CASE WHEN note_at = changed_at THEN note END
                FROM http_resilience.error_budget_pauses
                """),
            row => new ErrorBudgetPause(
                row.GetString(0), row.GetBoolean(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetFieldValue<DateTimeOffset>(3))
            {
                Note = row.IsDBNull(4) ? null : row.GetString(4),
            },
            cancellationToken).ConfigureAwait(false));

    public async Task<IReadOnlyList<DeployedVersion>> StartedAsync(string version, DateTimeOffset at, CancellationToken cancellationToken)
    {
        await ChangeAsync(
            () => [new(StartedSql) { Parameters = { Text(application.Own(version)), Time(at) } }], cancellationToken).ConfigureAwait(false);
        return application.VersionsIn(await ReadAsync(
            "deployed_versions",
            () => new("SELECT version, first_seen_at, last_started_at FROM http_resilience.deployed_versions"),
            row => new DeployedVersion(row.GetString(0), row.GetFieldValue<DateTimeOffset>(1), row.GetFieldValue<DateTimeOffset>(2)),
            cancellationToken).ConfigureAwait(false));
    }

    public async Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        await ChangeAsync(
            () => [new("DELETE FROM http_resilience.error_budget_writers WHERE saved_at < $1") { Parameters = { Time(before) } }],
            cancellationToken).ConfigureAwait(false);
        return await ChangeAsync(
            () => [new("DELETE FROM http_resilience.error_budget_counts WHERE period < $1") { Parameters = { Time(before) } }],
            cancellationToken).ConfigureAwait(false);
    }

    private Task<int> ChangeAsync(Func<IEnumerable<NpgsqlBatchCommand>> commands, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, _) =>
    {
        using var batch = PostgreSqlWriter.Durable(connection);
        foreach (var command in commands())
        {
            command.CommandText = database.Sql(command.CommandText);
            batch.BatchCommands.Add(command);
        }

        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        return (int)batch.BatchCommands[^1].RecordsAffected;
    }, cancellationToken);

    private Task<IReadOnlyList<T>> ReadAsync<T>(
        string table, Func<NpgsqlCommand> query, Func<NpgsqlDataReader, T?> row, CancellationToken cancellationToken)
        where T : class => database.RunAsync<IReadOnlyList<T>>(async (connection, _) =>
        {
            using var command = query();
            command.CommandText = database.Sql(command.CommandText);
            command.Connection = connection;
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            List<T> read = [];
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (rows.OrNull(table, () => row(reader)) is { } one)
                    read.Add(one);
            }

            return read;
        }, cancellationToken);
}
