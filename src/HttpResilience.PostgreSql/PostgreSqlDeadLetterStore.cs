using System.Text;
using Microsoft.Extensions.Logging;
using Npgsql;
using static HttpResilience.PostgreSqlLetter;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The dead letters of a PostgreSQL database.</summary>
internal sealed class PostgreSqlDeadLetterStore(
    PostgreSqlDatabase database, PostgreSqlWriter writer, PostgreSqlArrivals arrivals, StoredApplication application, ILogger log)
    : IDeadLetterStore
{
    private const int PurgedAtOnce = 1000;

    // Claims run one at a time, for the millisecond that each takes: of two that read the same due letters, one would return none although
    // others are due.
    private const string AloneSql = "SELECT pg_advisory_xact_lock($1)";

    private static readonly string FindSql = $"SELECT {Columns} FROM http_resilience.dead_letters WHERE id = $1";

    // One index lookup for each destination, then the first due letters of each application: excluded destinations cost nothing, and the
    // cost of a claim grows with the number of destinations, not of letters. A letter that another session is changing is skipped.
    private static readonly string ClaimSql = TakeSql("""
        WITH RECURSIVE destination (client_name, authority) AS (
          SELECT c, (SELECT min(authority) FROM http_resilience.dead_letters WHERE client_name = c AND status IN ('Pending', 'InProgress'))
          FROM unnest($1) c
          UNION
          SELECT d.client_name, (
            SELECT min(authority) FROM http_resilience.dead_letters
            WHERE client_name = d.client_name AND authority > d.authority AND status IN ('Pending', 'InProgress'))
          FROM destination d WHERE d.authority IS NOT NULL
        ), due AS MATERIALIZED (
          SELECT l.id FROM destination d CROSS JOIN unnest($7) AS a (application) CROSS JOIN LATERAL (
            SELECT id, due_at FROM http_resilience.dead_letters
            WHERE client_name = d.client_name AND authority = d.authority AND application = a.application
              AND status IN ('Pending', 'InProgress') AND due_at <= $4
            ORDER BY due_at, id LIMIT $6) l
          WHERE NOT EXISTS (
            SELECT 1 FROM unnest($2, $3) AS e (client_name, authority) WHERE e.client_name = d.client_name AND e.authority = d.authority)
          ORDER BY l.due_at, l.id LIMIT $6
        )
        """);

    private static readonly string ClaimOnlySql = TakeSql("""
        WITH due AS MATERIALIZED (
          SELECT l.id FROM unnest($6) AS a (application) CROSS JOIN LATERAL (
            SELECT id, due_at FROM http_resilience.dead_letters
            WHERE client_name = $1 AND authority = $2 AND application = a.application
              AND status IN ('Pending', 'InProgress') AND due_at <= $4
            ORDER BY due_at, id LIMIT $3) l
          ORDER BY l.due_at, l.id LIMIT $3
        )
        """);

    /// <param name="due">Selects the letters; its parameters $4 and $5 are the current time and the end of the lease.</param>
    private static string TakeSql(string due) => $"""
        {due}, taken AS MATERIALIZED (
          SELECT id, due_at FROM http_resilience.dead_letters
          WHERE id IN (SELECT id FROM due) AND status IN ('Pending', 'InProgress') AND due_at <= $4
          FOR UPDATE SKIP LOCKED
        ), claimed AS (
          UPDATE http_resilience.dead_letters SET may_have_been_processed = may_have_been_processed OR status = 'InProgress',
            resolution_action = CASE WHEN status = 'InProgress' THEN NULL ELSE resolution_action END,
            takeovers = takeovers + CASE WHEN status = 'InProgress' THEN 1 ELSE 0 END,
            status = 'InProgress', due_at = $5, version = version + 1
          WHERE id IN (SELECT id FROM taken) RETURNING *
        )
        SELECT {ColumnsOfL} FROM claimed l JOIN taken t ON t.id = l.id ORDER BY t.due_at, t.id
        """;

    public async Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        letter = application.Owned(letter);
        var added = await writer.RunAsync(() => New(letter), PostgreSqlWriter.HasRowAsync, notifies: true, cancellationToken)
            .ConfigureAwait(false);
        return added.Value
            || (added.WasSentBefore && await IsThereAsync(letter, letter.Version, New, cancellationToken).ConfigureAwait(false));
    }

    public async Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        var found = await database.RunAsync(async (connection, _) =>
        {
            using var command = new NpgsqlCommand(database.Sql(FindSql), connection) { Parameters = { Value(id) } };
            return await ReadAsync(command, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        return found is [var row] ? row.OrThrow() : null;
    }

    public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) =>
        StoredLetter.PageAsync(query, q => database.RunAsync(async (connection, _) =>
    {
        using var command = Select(q);
        command.CommandText = database.Sql(command.CommandText);
        command.Connection = connection;
        return await ReadAsync(command, cancellationToken).ConfigureAwait(false);
    }, cancellationToken), log);

    private const string SetAsideSql = """
        UPDATE http_resilience.dead_letters SET status = 'RequiresReview', suggested_action = $1
        WHERE id = ANY ($2) AND status = 'InProgress' AND due_at = $3
        """;

    public async Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(claim.Limit, 1);
        if (claim.Only is { } one && !claim.Includes(one))
            return [];
        var claimed = await database.RunAsync(async (connection, _) =>
        {
            var rows = await TakeAsync(connection).ConfigureAwait(false);
            // If this fails, the letters are claimed again when their lease ends.
            if (rows.Where(r => r.Letter is null).Select(r => Guid.Parse(r.Id)).ToArray() is { Length: > 0 } unreadable)
                await SetAsideAsync(connection, unreadable).ConfigureAwait(false);
            return rows;
        }, cancellationToken).ConfigureAwait(false);
        return StoredLetter.Claimed(claimed, log);

        async Task<List<StoredLetter>> TakeAsync(NpgsqlConnection connection)
        {
            var applications = Value(application.ClaimedBy(claim));
            using var batch = PostgreSqlWriter.Durable(connection);
            batch.BatchCommands.Add(new(AloneSql) { Parameters = { Value(PostgreSqlSchema.ClaimLock) } });
            batch.BatchCommands.Add(claim.Only is { } only ? new(database.Sql(ClaimOnlySql))
            {
                Parameters =
                {
                    Text(only.ClientName), Text(only.Authority), Value(claim.Limit), Time(claim.Now), Time(claim.LeaseUntil), applications,
                },
            }
            : new(database.Sql(ClaimSql))
            {
                Parameters =
                {
                    Value(claim.Clients.Select(c => StoredText.Storable(c)!).ToArray()),
                    Value(claim.Except.Select(d => StoredText.Storable(d.ClientName)!).ToArray()),
                    Value(claim.Except.Select(d => d.Authority).ToArray()),
                    Time(claim.Now), Time(claim.LeaseUntil), Value(claim.Limit), applications,
                },
            });
            var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            List<StoredLetter> rows = [];
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                rows.Add(Read(reader));
            // An error of the commit arrives with the last result.
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            return rows;
        }

        async Task SetAsideAsync(NpgsqlConnection connection, Guid[] ids)
        {
            using var batch = PostgreSqlWriter.Durable(connection);
            batch.BatchCommands.Add(new(database.Sql(SetAsideSql))
            {
                Parameters = { Text(StoredLetter.Action), Value(ids), Time(claim.LeaseUntil) },
            });
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var changed = await writer.RunAsync(
            () => Changed(letter), PostgreSqlWriter.HasRowAsync, letter.Status == DeadLetterStatus.Pending, cancellationToken)
            .ConfigureAwait(false);
        return changed.Value
            || (changed.WasSentBefore && await IsThereAsync(letter, letter.Version + 1, Changed, cancellationToken).ConfigureAwait(false));
    }

    public async Task<bool> ReplaceAsync(DeadLetter letter, DeadLetter replacement, CancellationToken cancellationToken)
    {
        var changed = await writer.RunAsync(
            () => Replaced(letter, replacement), PostgreSqlWriter.HasRowAsync, notifies: true, cancellationToken).ConfigureAwait(false);
        return changed.Value
            || (changed.WasSentBefore && await IsThereAsync(letter, letter.Version + 1, Changed, cancellationToken).ConfigureAwait(false));
    }

    public async Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        int purged = 0;
        while (true)
        {
            // In portions, so that no statement holds its locks for long.
            int some = await database.RunAsync(async (connection, _) =>
            {
                using var command = new NpgsqlCommand(
                    database.Sql("""
                    DELETE FROM http_resilience.dead_letters WHERE id IN (
                      SELECT id FROM http_resilience.dead_letters
                      WHERE status IN ('Replayed', 'Resolved', 'Resubmitted') AND last_failed_at < $1 LIMIT $2)
                    """), connection)
                {
                    Parameters = { Time(before), Value(PurgedAtOnce) },
                };
                return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
            purged += some;
            if (some < PurgedAtOnce)
                return purged;
        }
    }

    public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(
            database.Sql("""
            SELECT status, count(*), CASE status WHEN 'Pending' THEN (
              SELECT min(due_at) FROM http_resilience.dead_letters WHERE status = 'Pending' AND application = ANY ($1)) END
            FROM http_resilience.dead_letters WHERE application = ANY ($1) GROUP BY status
            """), connection)
        {
            Parameters = { Value(application.Counted) },
        };
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        Dictionary<DeadLetterStatus, long> counts = [];
        DateTimeOffset? oldest = null;
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            // A status of a newer version is counted by that version only.
            if (StoredText.NamedOrNull<DeadLetterStatus>(reader.GetString(0)) is { } status)
                counts[status] = reader.GetInt64(1);
            oldest ??= await reader.IsDBNullAsync(2, cancellationToken).ConfigureAwait(false) ? null
                : reader.GetFieldValue<DateTimeOffset>(2);
        }

        return new DeadLetterCounts(counts, oldest);
    }, cancellationToken);

    // The first letter of each destination in the order of the index, one lookup for each.
    private const string BacklogSql = """
        WITH RECURSIVE first AS (
          (SELECT client_name, authority, application, due_at FROM http_resilience.dead_letters
          WHERE status IN ('Pending', 'InProgress') ORDER BY client_name, authority, application, due_at LIMIT 1)
          UNION ALL
          SELECT n.client_name, n.authority, n.application, n.due_at FROM first f CROSS JOIN LATERAL (
            SELECT client_name, authority, application, due_at FROM http_resilience.dead_letters
            WHERE status IN ('Pending', 'InProgress')
              AND (client_name, authority, application) > (f.client_name, f.authority, f.application)
            ORDER BY client_name, authority, application, due_at LIMIT 1) n
        )
        SELECT application, client_name, authority, due_at FROM first
        """;

    public Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<DeadLetterBacklog>>(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(BacklogSql), connection);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<DeadLetterBacklog> backlog = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            backlog.Add(new(reader.GetString(0), reader.GetString(1), reader.GetString(2), StoredTypes.Time(reader, 3)));
        return backlog;
    }, cancellationToken);

    public Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken) => arrivals.WaitAsync(atMost, cancellationToken);

    /// <summary>Whether a change whose answer was lost was committed: it was if the stored letter equals its result.</summary>
    private async Task<bool> IsThereAsync(
        DeadLetter letter, long version, Func<DeadLetter, NpgsqlBatchCommand> change, CancellationToken cancellationToken)
    {
        var stored = await FindAsync(letter.Id, cancellationToken).ConfigureAwait(false);
        return stored is not null && stored.Version == version && Same(change(stored with { Version = letter.Version }), change(letter));
    }

    private static bool Same(NpgsqlBatchCommand one, NpgsqlBatchCommand other) =>
        one.Parameters.Zip(other.Parameters).All(p => (p.First.Value, p.Second.Value) switch
    {
        (ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) => a.Span.SequenceEqual(b.Span),
        var (a, b) => Equals(a, b),
    });

    private NpgsqlBatchCommand New(DeadLetter letter)
    {
        var command = new NpgsqlBatchCommand(database.Sql(Add));
        AddTo(command.Parameters, letter);
        return command;
    }

    private NpgsqlBatchCommand Changed(DeadLetter letter)
    {
        var command = new NpgsqlBatchCommand(database.Sql(Update));
        AddChangesTo(command.Parameters, letter);
        return command;
    }

    private NpgsqlBatchCommand Replaced(DeadLetter letter, DeadLetter replacement)
    {
        var command = new NpgsqlBatchCommand(database.Sql(Replace));
        AddChangesTo(command.Parameters, letter);
        AddTo(command.Parameters, replacement);
        return command;
    }

    private static async Task<List<StoredLetter>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<StoredLetter> rows = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            rows.Add(Read(reader));
        return rows;
    }

    private static NpgsqlCommand Select(DeadLetterQuery query)
    {
        var sql = new StringBuilder($"SELECT {Columns} FROM http_resilience.dead_letters WHERE TRUE");
        var command = new NpgsqlCommand();
        Where("status =", query.Status is { } status ? Text(status.ToString()) : null);
        Where("client_name =", query.ClientName is { } client ? Text(client) : null);
        Where("authority =", query.Authority is { } authority ? Text(authority) : null);
        Where("tenant =", query.Tenant is { } tenant ? Text(tenant) : null);
        Where("failure_class =", query.FailureClass is { } failureClass ? Text(failureClass.ToString()) : null);
        Where("first_failed_at >=", query.Since is { } since ? Time(since) : null);
        Where("first_failed_at <", query.Until is { } until ? Time(until) : null);
        Where("id <", query.Before is { } before ? Value(before) : null);
        command.Parameters.Add(Value(query.Limit));
        command.CommandText = sql.Append(" ORDER BY id DESC LIMIT $").Append(command.Parameters.Count).ToString();
        return command;

        void Where(string condition, NpgsqlParameter? value)
        {
            if (value is null)
                return;
            command.Parameters.Add(value);
            sql.Append(" AND ").Append(condition).Append(" $").Append(command.Parameters.Count);
        }
    }
}
