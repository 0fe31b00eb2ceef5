using Microsoft.Extensions.Logging;
using Npgsql;
using static HttpResilience.PostgreSqlLetter;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The dead letters of a PostgreSQL database.</summary>
internal sealed class PostgreSqlDeadLetterStore(
    PostgreSqlDatabase database, PostgreSqlWriter writer, PostgreSqlArrivals arrivals, StoredApplication application,
    TimeProvider time, ILogger log) : IDeadLetterStore
{
    private const int PurgedAtOnce = 1000, ReleasedAtOnce = 1000, CompletedAtOnce = 1000;

    private static readonly string FindSql = $"SELECT {Columns} FROM http_resilience.dead_letters WHERE id = $1";

    private readonly PostgreSqlCommit _commits = new(database, application);

    /// <inheritdoc cref="PostgreSqlClock.Ahead"/>
    private TimeSpan Ahead => database.Clock.Ahead;

    public async Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        letter = application.Owned(letter);
        var added = await writer.RunAsync(() => New(letter.At(Ahead)), PostgreSqlWriter.HasRowAsync, notifies: true, cancellationToken)
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

    public async Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken)
    {
        return await StoredLetter.PageAsync(query, (q, last) => database.RunAsync(async (connection, _) =>
        {
            using var command = InSchema(
                PostgreSqlLetterQuery.Select(last is null ? q : q with { Before = Guid.Parse(last) }), connection);
            return await ReadAsync(command, cancellationToken).ConfigureAwait(false);
        }, cancellationToken), log).ConfigureAwait(false);
    }

    public async Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atMost, 1);
        var (looked, oldest) = await database.RunAsync(async (connection, _) =>
        {
            using var command = InSchema(PostgreSqlLetterQuery.Candidates(query, atMost), connection);
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            int count = (int)reader.GetInt64(0);
            return (count, count == 0 ? (Guid?)null : Guid.Parse(reader.GetString(1)));
        }, cancellationToken).ConfigureAwait(false);
        if (oldest is null)
            return new([], 0, null);
        var letters = await StoredLetter.PageAsync(query, (q, last) => database.RunAsync(async (connection, _) =>
        {
            using var command = InSchema(
                PostgreSqlLetterQuery.Select(last is null ? q : q with { Before = Guid.Parse(last) }, oldest), connection);
            return await ReadAsync(command, cancellationToken).ConfigureAwait(false);
        }, cancellationToken), log).ConfigureAwait(false);
        return StoredLetter.Found(letters, query, looked, looked < atMost ? null : oldest);
    }

    public async Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(claim.Limit, 1);
        if (claim.Only is { } only && !claim.Includes(only))
            return [];
        var commands = new PostgreSqlClaim(claim, application, database.Clock);
        List<StoredLetter> rows;
        try
        {
            rows = await TakeAsync(commands.TakeAll, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpResilienceStorageException e) when (IsOfRow(e))
        {
            rows = await TakeEachAsync(commands, cancellationToken).ConfigureAwait(false);
        }

        if (rows.Where(r => r.Letter is null).Select(r => Guid.Parse(r.Id)).ToArray() is { Length: > 0 } unreadable)
            await SetAsideAsync(commands, unreadable, cancellationToken).ConfigureAwait(false);
        return StoredLetter.Claimed(rows, log);
    }

    // One row makes the whole claim fail: each is claimed by itself, so that only that one is set aside.
    private async Task<List<StoredLetter>> TakeEachAsync(PostgreSqlClaim commands, CancellationToken cancellationToken)
    {
        var ids = await database.RunAsync(async (connection, _) =>
        {
            using var batch = new NpgsqlBatch(connection) { BatchCommands = { InSchema(commands.ListDue()) } };
            var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            List<Guid> due = [];
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                due.Add(reader.GetGuid(0));
            return due;
        }, cancellationToken).ConfigureAwait(false);
        List<StoredLetter> rows = [];
        foreach (var id in ids)
        {
            try
            {
                rows.AddRange(await TakeAsync(() => commands.TakeOne(id), cancellationToken).ConfigureAwait(false));
            }
            catch (HttpResilienceStorageException e) when (IsOfRow(e))
            {
                rows.Add(StoredLetter.Unwritable(id.ToString(), e));
            }
            catch (HttpResilienceStorageException) when (rows.Exists(r => r.Letter is not null))
            {
                // The store fails: the letters taken so far are sent, the others are still due.
                break;
            }
        }

        return rows;
    }

    private Task<List<StoredLetter>> TakeAsync(Func<NpgsqlBatchCommand> take, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, _) =>
    {
        using var batch = PostgreSqlWriter.Durable(connection);
        batch.BatchCommands.Add(PostgreSqlClaim.Alone());
        batch.BatchCommands.Add(InSchema(take()));
        var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        List<StoredLetter> rows = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            rows.Add(Read(reader, Ahead));
        // An error of the commit arrives with the last result.
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        return rows;
    }, cancellationToken);

    private async Task SetAsideAsync(PostgreSqlClaim commands, Guid[] ids, CancellationToken cancellationToken)
    {
        try
        {
            await database.RunAsync(async (connection, _) =>
            {
                using var batch = PostgreSqlWriter.Durable(connection);
                batch.BatchCommands.Add(InSchema(commands.SetAside(ids)));
                return await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpResilienceStorageException e) when (IsOfRow(e) && ids.Length > 1)
        {
            // One of them cannot be changed at all, such as by a trigger.
            foreach (var id in ids)
                await SetAsideAsync(commands, [id], cancellationToken).ConfigureAwait(false);
        }
        catch (HttpResilienceStorageException)
        {
            // The unreadable letters are claimed again when their lease ends; the others are sent.
        }
    }

    private NpgsqlBatchCommand InSchema(NpgsqlBatchCommand command)
    {
        command.CommandText = database.Sql(command.CommandText);
        return command;
    }

    private NpgsqlCommand InSchema(NpgsqlCommand command, NpgsqlConnection connection)
    {
        command.CommandText = database.Sql(command.CommandText);
        command.Connection = connection;
        return command;
    }

    // Data that does not fit (22), a constraint (23), a limit of the server (54), a trigger (P0), a row that is damaged on the disk (XX).
    private static bool IsOfRow(HttpResilienceStorageException e) => e.InnerException is PostgresException
    {
        SqlState: ['2', '2' or '3', ..] or ['5', '4', ..] or ['P', '0', ..] or ['X', 'X', ..],
    };

    public async Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var changed = await writer.ChangeAsync(() => letter.At(Ahead), letter.Status == DeadLetterStatus.Pending, cancellationToken)
            .ConfigureAwait(false);
        return changed.Value
            || (changed.WasSentBefore && await IsThereAsync(letter, letter.Version + 1, Changed, cancellationToken).ConfigureAwait(false));
    }

    public Task<bool> CommitAsync(LetterCommit commit, CancellationToken cancellationToken) =>
        _commits.RunAsync(commit, cancellationToken);

    public async Task<int> PurgeAsync(
        DeadLetterQuery query, DateTimeOffset before, OperatorActivity? activity, CancellationToken cancellationToken)
    {
        int purged = 0;
        while (true)
        {
            int some = await database.RunAsync(
                (connection, _) => PurgeAsync(connection, query, before, activity, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            purged += some;
            if (some < PurgedAtOnce)
                return purged;
        }
    }

    private async Task<int> PurgeAsync(
        NpgsqlConnection connection, DeadLetterQuery query, DateTimeOffset before, OperatorActivity? activity,
        CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var transactionScope = transaction.ConfigureAwait(false);
        using var purge = PostgreSqlWriter.Durable(connection);
        purge.Transaction = transaction;
        var command = InSchema(PostgreSqlLetterQuery.Purge(query, before, PurgedAtOnce));
        purge.BatchCommands.Add(command);
        await purge.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        int purged = (int)command.RecordsAffected;
        if (activity is not null && purged > 0)
        {
            using var note = new NpgsqlBatch(connection, transaction)
            {
                BatchCommands = { PostgreSqlActivityStore.AddLetters(database, activity, purged, application) },
            };
            await note.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return purged;
    }

    public Task<SettledLetters> CountSettledAsync(
        DeadLetterQuery query, DateTimeOffset before, int atMost, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atMost, 1);
        return database.RunAsync(async (connection, _) =>
        {
            using var command = InSchema(PostgreSqlLetterQuery.CountSettled(query, before, atMost), connection);
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            long count = reader.GetInt64(0);
            return new SettledLetters(count, count == 0 ? null : reader.GetFieldValue<DateTimeOffset>(1));
        }, cancellationToken);
    }

    public Task<bool> KeepsByDefaultAsync(CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(
            database.Sql("SELECT value FROM http_resilience.settings WHERE name = 'first_schema_version'"), connection);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not "3";
    }, cancellationToken);

    private const string WaitsForKey =
        "status = 'RequiresReview' AND suggested_action = 'key ' || protected_with || ' is missing'";

    // One index lookup for each key.
    internal const string MissingKeysSql = $"""
        WITH RECURSIVE waited_for (key) AS (
          (SELECT protected_with FROM http_resilience.dead_letters WHERE {WaitsForKey} ORDER BY protected_with LIMIT 1)
          UNION ALL
          SELECT n.protected_with FROM waited_for w CROSS JOIN LATERAL (
            SELECT protected_with FROM http_resilience.dead_letters WHERE protected_with > w.key AND {WaitsForKey}
            ORDER BY protected_with LIMIT 1) n
        )
        SELECT key FROM waited_for
        """;

    // An array, because a join with the ids may be planned as a loop over all letters that wait for a key.
    internal const string ReleaseSql = $"""
        UPDATE http_resilience.dead_letters SET status = 'Pending', due_at = $1, suggested_action = NULL, version = version + 1
        WHERE id = ANY (ARRAY(
          SELECT id FROM http_resilience.dead_letters WHERE protected_with = $2 AND {WaitsForKey} LIMIT $3 FOR UPDATE))
        """;

    public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<string>>(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(MissingKeysSql), connection);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<string> keys = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            keys.Add(reader.GetString(0));
        return keys;
    }, cancellationToken);

    public Task<int> ReleaseAsync(string keyId, DateTimeOffset dueAt, CancellationToken cancellationToken) => InPortionsAsync(
        () => new(ReleaseSql) { Parameters = { Time(dueAt.Plus(Ahead)), Text(keyId), Value(ReleasedAtOnce) } }, ReleasedAtOnce,
        notifies: true, cancellationToken);

    // No statement holds its locks for long.
    private async Task<int> InPortionsAsync(
        Func<NpgsqlBatchCommand> change, int portion, bool notifies, CancellationToken cancellationToken)
    {
        int changed = 0;
        while (true)
        {
            int some = await database.RunAsync(async (connection, _) =>
            {
                using var batch = PostgreSqlWriter.Durable(connection);
                var command = InSchema(change());
                batch.BatchCommands.Add(command);
                if (notifies)
                    batch.BatchCommands.Add(new(PostgreSqlArrivals.NotifySql(database)));
                await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                return command.RecordsAffected;
            }, cancellationToken).ConfigureAwait(false);
            changed += some;
            if (some < portion)
                return changed;
        }
    }

    public async Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken)
    {
        var counts = await database.RunAsync((connection, _) => CountAsync(connection, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return counts with { OldestDueAt = counts.OldestDueAt?.Plus(-Ahead) };
    }

    // One index lookup for each application. A due time may be infinite, or beyond the years of this platform.
    internal const string CountSql = """
        SELECT status, sum(letters)::bigint, CASE status WHEN 'Pending' THEN (
          SELECT min(greatest('0001-01-01Z', least('9999-12-31Z', l.due_at))) FROM unnest($1) AS a (application) CROSS JOIN LATERAL (
            SELECT due_at FROM http_resilience.dead_letters
            WHERE status = 'Pending' AND application = a.application ORDER BY due_at LIMIT 1) l) END
        FROM http_resilience.letter_counts WHERE application = ANY ($1) GROUP BY status HAVING sum(letters) > 0
        """;

    private async Task<DeadLetterCounts> CountAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(database.Sql(CountSql), connection)
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

        return new(counts, oldest);
    }

    public Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return database.RunAsync(async (connection, _) =>
        {
            using var command = InSchema(PostgreSqlLetterQuery.Groups(query), connection);
            List<(CountedGroup, CauseFamily)> rows = [];
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    rows.Add(GroupColumns.Read(reader));
            }

            var groups = CountedGroup.Fold(rows, limit);
            using var newest = new NpgsqlCommand(database.Sql(NewestSql), connection)
            {
                Parameters = { Value(groups.Select(g => g.Newest).ToArray()) },
            };
            return StoredLetter.Groups(groups, await ReadAsync(newest, cancellationToken).ConfigureAwait(false), log);
        }, cancellationToken);
    }

    private static readonly string NewestSql = $"SELECT {ColumnsWithoutBody} FROM http_resilience.dead_letters WHERE id = ANY ($1)";

    private static readonly string IncompleteSql = $"""
        SELECT {ColumnsWithoutBody} FROM http_resilience.dead_letters
        WHERE fingerprint IS NULL AND id > $1 ORDER BY id LIMIT {CompletedAtOnce}
        """;

    private const string CompleteSql = """
        UPDATE http_resilience.dead_letters l SET fingerprint = n.fingerprint FROM unnest($1, $2, $3) AS n (id, version, fingerprint)
        WHERE l.id = ANY ($1) AND l.id = n.id AND l.version = n.version AND l.fingerprint IS NULL
        """;

    public Task<int> CompleteAsync(CancellationToken cancellationToken) => StoredLetter.CompleteAsync(
        last => database.RunAsync(async (connection, _) =>
        {
            using var command = new NpgsqlCommand(database.Sql(IncompleteSql), connection)
            {
                Parameters = { Value(last is null ? Guid.Empty : Guid.Parse(last)) },
            };
            return await ReadAsync(command, cancellationToken).ConfigureAwait(false);
        }, cancellationToken),
        letters => database.RunAsync(async (connection, _) =>
        {
            using var command = new NpgsqlCommand(database.Sql(CompleteSql), connection)
            {
                Parameters =
                {
                    Value(letters.Select(l => l.Id).ToArray()), Value(letters.Select(l => l.Version).ToArray()),
                    Value(letters.Select(l => l.Fingerprint).ToArray()),
                },
            };
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }, cancellationToken), CompletedAtOnce);

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
        SELECT application, client_name, authority, greatest('0001-01-01Z', least('9999-12-31Z', due_at)) FROM first
        """;

    public Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<DeadLetterBacklog>>(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(BacklogSql), connection);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<DeadLetterBacklog> backlog = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            backlog.Add(
                new(reader.GetString(0), reader.GetString(1), reader.GetString(2), StoredTypes.Time(reader, 3).Plus(-Ahead)));
        }

        return backlog;
    }, cancellationToken);

    public Task ProbeAsync(CancellationToken cancellationToken) => database.RunWithinAsync(async (connection, over) =>
    {
        var probe = application.Owned(LetterProbe.New(time.GetUtcNow())).At(Ahead);
        using var batch = PostgreSqlWriter.Durable(connection);
        batch.BatchCommands.Add(New(probe));
        batch.BatchCommands.Add(
            new(database.Sql("DELETE FROM http_resilience.dead_letters WHERE id = $1")) { Parameters = { Value(probe.Id) } });
        return await batch.ExecuteNonQueryAsync(over).ConfigureAwait(false);
    }, LetterProbe.Timeout).WaitAsync(cancellationToken);

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

    private NpgsqlBatchCommand New(DeadLetter letter) => PostgreSqlCommit.New(database, letter);

    private NpgsqlBatchCommand Changed(DeadLetter letter)
    {
        var command = new NpgsqlBatchCommand(database.Sql(Update));
        AddChangesTo(command.Parameters, letter);
        return command;
    }

    private async Task<List<StoredLetter>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<StoredLetter> rows = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            rows.Add(Read(reader, Ahead));
        return rows;
    }
}
