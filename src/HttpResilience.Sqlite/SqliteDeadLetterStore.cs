using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>The dead letters of a SQLite database.</summary>
internal sealed class SqliteDeadLetterStore(
    SqliteWriter writer, SqliteReaders readers, StoredApplication application, TimeProvider time, ILogger log) : IDeadLetterStore
{
    private const int PurgedAtOnce = 100, ReleasedAtOnce = 1000, CompletedAtOnce = 500;

    // One index lookup for each destination, then the first due letters of each application: excluded destinations cost nothing, and the
    // cost of a claim grows with the number of destinations, not of letters.
    private const string ClaimSql = """
        WITH RECURSIVE destination (client_name, authority) AS (
          SELECT value, (SELECT min(authority) FROM dead_letters WHERE client_name = value AND status IN ('Pending', 'InProgress'))
          FROM json_each(@clients)
          UNION
          SELECT d.client_name, (
            SELECT min(l.authority) FROM dead_letters l
            WHERE l.client_name = d.client_name AND l.authority > d.authority AND l.status IN ('Pending', 'InProgress'))
          FROM destination d WHERE d.authority IS NOT NULL
        )
        SELECT l.rowid, l.id, length(l.body), length(l.headers), length(l.history)
        FROM destination d JOIN json_each(@applications) a JOIN dead_letters l ON l.rowid IN (
          SELECT rowid FROM dead_letters
          WHERE client_name = d.client_name AND authority = d.authority AND application = a.value
            AND status IN ('Pending', 'InProgress') AND due_at <= @now
          ORDER BY due_at, id LIMIT @limit)
        WHERE d.authority IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM json_each(@except) e WHERE e.value ->> 0 = d.client_name AND e.value ->> 1 = d.authority)
        ORDER BY l.due_at, l.id LIMIT @limit
        """;

    private const string ClaimOnlySql = """
        SELECT l.rowid, l.id, length(l.body), length(l.headers), length(l.history)
        FROM json_each(@applications) a JOIN dead_letters l ON l.rowid IN (
          SELECT rowid FROM dead_letters
          WHERE client_name = @client_name AND authority = @authority AND application = a.value
            AND status IN ('Pending', 'InProgress') AND due_at <= @now
          ORDER BY due_at, id LIMIT @limit)
        ORDER BY l.due_at, l.id LIMIT @limit
        """;

    private static readonly string FindSql = $"SELECT {SqliteLetter.Columns} FROM dead_letters WHERE id = @id";

    private static readonly string AddSql = $"{SqliteLetter.Insert} ON CONFLICT (id) DO NOTHING";

    private static readonly string IncompleteSql = $"""
        SELECT {SqliteLetter.ColumnsWithoutBody} FROM dead_letters INDEXED BY dead_letters_of_cause
        WHERE fingerprint IS NULL AND id > @after ORDER BY id LIMIT {CompletedAtOnce}
        """;

    private static readonly string NewestSql =
        $"SELECT {SqliteLetter.ColumnsWithoutBody} FROM dead_letters WHERE id IN (SELECT value FROM json_each(@ids))";

    private const string CompleteSql =
        "UPDATE dead_letters SET fingerprint = @fingerprint WHERE id = @id AND version = @version AND fingerprint IS NULL";

    private const string DeleteSql = "DELETE FROM dead_letters WHERE id = @id";

    private readonly SqliteArrivals _arrivals = new(writer, time);

    public async Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var row = SqliteLetter.Values(application.Owned(letter));
        bool added = await writer.RunAsync(s => s.Change(AddSql, row) == 1, cancellationToken).ConfigureAwait(false);
        return _arrivals.Told(added, added);
    }

    public async Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        await readers.RunAsync(s => Find(s, SqliteLetter.Id(id)), cancellationToken).ConfigureAwait(false) is [var found]
            ? found.OrThrow()
            : null;

    public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) =>
        StoredLetter.PageAsync(query, (q, last) => readers.RunAsync(s =>
    {
        var (sql, parameters) = SqliteLetterQuery.Select(q, last);
        return s.Read(SqliteLetter.Read, sql, parameters);
    }, cancellationToken), log);

    public async Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atMost, 1);
        var (candidates, values) = SqliteLetterQuery.Candidates(query, atMost);
        var (looked, oldest) = (await readers.RunAsync(
            s => s.Read(row => ((int)row.GetInt64(0), row.IsDBNull(1) ? null : row.GetString(1)), candidates, values), cancellationToken)
            .ConfigureAwait(false))[0];
        if (oldest is null)
            return new([], 0, null);
        var letters = await StoredLetter.PageAsync(query, (q, last) => readers.RunAsync(s =>
        {
            var (sql, parameters) = SqliteLetterQuery.Select(q, last, oldest);
            return s.Read(SqliteLetter.Read, sql, parameters);
        }, cancellationToken), log).ConfigureAwait(false);
        return StoredLetter.Found(letters, query, looked, looked < atMost ? null : Guid.Parse(oldest));
    }

    // A letter in progress belongs to a worker that stopped: it may have been sent, and a reviewer's action was meant for that attempt
    // only.
    private static readonly string TakeSql = $"""
        UPDATE dead_letters SET may_have_been_processed = may_have_been_processed OR status = 'InProgress',
          resolution_action = CASE WHEN status = 'InProgress' THEN NULL ELSE resolution_action END,
          takeovers = takeovers + (status = 'InProgress' AND takeovers < 2), replays = replays + (status = 'InProgress'),
          status = 'InProgress', due_at = @due_at, version = version + 1
        WHERE rowid IN (SELECT value FROM json_each(@rows)) RETURNING {SqliteLetter.Columns}
        """;

    private const string SetAsideSql = "UPDATE dead_letters SET status = 'RequiresReview', suggested_action = @action WHERE id = @id";

    public async Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(claim.Limit, 1);
        if (claim.Only is { } only && !claim.Includes(only))
            return [];
        string applications = StoredJson.List(application.ClaimedBy(claim));
        string clients = StoredJson.List(claim.Clients.Select(c => StoredText.Storable(c)!).Distinct());
        string except = StoredJson.Pairs(claim.Except.Select(d => KeyValuePair.Create(StoredText.Storable(d.ClientName)!, d.Authority)));
        var claimed = await writer.RunAsync(s =>
        {
            (string, object?) now = ("@now", StoredTime.Microseconds(claim.Now)), limit = ("@limit", claim.Limit);
            var due = claim.Only is { } only
                ? s.Read(DueRow.Read, ClaimOnlySql, ("@client_name", StoredText.Storable(only.ClientName)),
                ("@authority", only.Authority), ("@applications", applications), now, limit)
                : s.Read(
                    DueRow.Read, ClaimSql, ("@clients", clients), ("@applications", applications), ("@except", except), now, limit);
            var rows = Take(s, [.. Fitting(due, claim.MaxBytes)], ("@due_at", StoredTime.Microseconds(claim.LeaseUntil)));
            foreach (var row in rows.Where(r => r.Letter is null))
                SetAside(s, row.Id);
            return rows;
        }, cancellationToken).ConfigureAwait(false);
        return StoredLetter.Claimed(claimed, log);
    }

    public async Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var row = SqliteLetter.Changes(letter);
        bool changed = await writer.RunAsync(s => s.Change(SqliteLetter.Update, row) == 1, cancellationToken).ConfigureAwait(false);
        return _arrivals.Told(changed, changed && letter.Status == DeadLetterStatus.Pending);
    }

    private const string IsCurrentSql = "SELECT count(*) FROM dead_letters WHERE id = @id AND version = @version";

    private const string IsThereSql = "SELECT count(*) FROM dead_letters WHERE id = @id";

    public async Task<bool> CommitAsync(LetterCommit commit, CancellationToken cancellationToken)
    {
        object?[][] changes = [.. commit.Changed.Select(SqliteLetter.Changes)];
        object?[][] additions = [.. commit.Added.Select(l => SqliteLetter.Values(application.Owned(l)))];
        bool committed = await writer.RunAsync(s =>
        {
            // Another change of the same transaction may be committed with this one: whatever can fail comes before the first change.
            if (!commit.Changed.All(l => s.Scalar<long>(IsCurrentSql, ("@id", SqliteLetter.Id(l.Id)), ("@version", l.Version)) == 1)
                || commit.Added.Any(l => s.Scalar<long>(IsThereSql, ("@id", SqliteLetter.Id(l.Id))) == 1)
                || (commit.Hold is { } hold && !SqliteCircuitHoldStore.IsLatest(s, hold, commit.HoldBefore, application))
                || (commit.Pause is { } paused && !SqliteErrorBudgetStore.IsLast(s, paused.ClientName, commit.PauseBefore, application))
                || (commit.Job is { } job && !SqliteJobStore.Save(s, job, application)))
                return false;
            if (commit.Pause is { } pause)
                SqliteErrorBudgetStore.Save(s, pause, application);
            foreach (object?[] row in changes)
                s.Change(SqliteLetter.Update, row);
            foreach (object?[] row in additions)
                s.Change(SqliteLetter.Insert, row);
            if (commit.Hold is { } changed)
                SqliteCircuitHoldStore.Save(s, changed, application);
            if (commit.Activity is { } activity)
                SqliteActivityStore.Add(s, activity, application);
            return true;
        }, cancellationToken).ConfigureAwait(false);
        return _arrivals.Told(
            committed, committed && (commit.Added.Count > 0 || commit.Changed.Any(l => l.Status is DeadLetterStatus.Pending)));
    }

    public Task<int> PurgeAsync(
        DeadLetterQuery query, DateTimeOffset before, OperatorActivity? activity, CancellationToken cancellationToken)
    {
        var (sql, parameters) = SqliteLetterQuery.Purge(query);
        parameters.AddRange([("@settled_before", StoredTime.Microseconds(before)), ("@limit", PurgedAtOnce)]);
        return InPortionsAsync(s =>
        {
            int purged = s.Execute(sql, [.. parameters]);
            if (activity is not null && purged > 0)
                SqliteActivityStore.AddLetters(s, activity, purged, application);
            return purged;
        }, PurgedAtOnce, cancellationToken);
    }

    public async Task<SettledLetters> CountSettledAsync(
        DeadLetterQuery query, DateTimeOffset before, int atMost, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atMost, 1);
        var (sql, parameters) = SqliteLetterQuery.CountSettled(query);
        parameters.AddRange([("@settled_before", StoredTime.Microseconds(before)), ("@limit", atMost)]);
        return (await readers.RunAsync(s => s.Read(
            row => new SettledLetters(row.GetInt64(0), row.IsDBNull(1) ? null : StoredTime.Nearest(row.GetInt64(1))), sql,
            [.. parameters]), cancellationToken).ConfigureAwait(false))[0];
    }

    public async Task<bool> KeepsByDefaultAsync(CancellationToken cancellationToken)
    {
        var first = await readers.RunAsync(
            s => s.Read(row => row.GetString(0), "SELECT value FROM settings WHERE name = 'first_schema_version'"), cancellationToken)
            .ConfigureAwait(false);
        return first is not ["3"];
    }

    private const string WaitsForKey =
        "status = 'RequiresReview' AND suggested_action = 'key ' || protected_with || ' is missing'";

    // One index lookup for each key.
    private const string MissingKeysSql = $"""
        WITH RECURSIVE waited_for (key) AS (
          SELECT (SELECT min(protected_with) FROM dead_letters WHERE protected_with >= '' AND {WaitsForKey})
          UNION ALL
          SELECT (SELECT min(protected_with) FROM dead_letters WHERE protected_with > key AND {WaitsForKey})
          FROM waited_for WHERE key IS NOT NULL
        )
        SELECT key FROM waited_for WHERE key IS NOT NULL
        """;

    private const string ReleaseSql = $"""
        UPDATE dead_letters SET status = 'Pending', due_at = @due_at, suggested_action = NULL, version = version + 1
        WHERE rowid IN (SELECT rowid FROM dead_letters WHERE protected_with = @key AND {WaitsForKey} LIMIT @limit)
        """;

    public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) =>
        readers.RunAsync<IReadOnlyList<string>>(s => s.Read(row => row.GetString(0), MissingKeysSql), cancellationToken);

    public async Task<int> ReleaseAsync(string keyId, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        (string, object?)[] parameters = [("@due_at", StoredTime.Microseconds(dueAt)), ("@key", keyId), ("@limit", ReleasedAtOnce)];
        int released = await InPortionsAsync(s => s.Execute(ReleaseSql, parameters), ReleasedAtOnce, cancellationToken)
            .ConfigureAwait(false);
        _arrivals.Told(true, released > 0);
        return released;
    }

    // New letters do not wait for the whole.
    private async Task<int> InPortionsAsync(Func<SqliteSession, int> change, int portion, CancellationToken cancellationToken)
    {
        int changed = 0;
        while (true)
        {
            int some = await writer.RunAsync(change, cancellationToken).ConfigureAwait(false);
            changed += some;
            if (some < portion)
                return changed;
        }
    }

    // One index lookup for each application. The index is named for the same reason as in the backlog.
    internal const string CountSql = """
        SELECT status, sum(letters), CASE status WHEN 'Pending' THEN (
          SELECT min((
            SELECT due_at FROM dead_letters INDEXED BY dead_letters_pending
            WHERE status = 'Pending' AND application = a.value ORDER BY due_at LIMIT 1)) FROM json_each(@applications) a) END
        FROM letter_counts WHERE application IN (SELECT value FROM json_each(@applications)) GROUP BY status HAVING sum(letters) > 0
        """;

    public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) => readers.RunAsync(s =>
    {
        var counts = s.Read(
            row => (
                Status: StoredText.NamedOrNull<DeadLetterStatus>(row.GetString(0)),
                Count: row.GetInt64(1),
                Oldest: row.IsDBNull(2) ? (DateTimeOffset?)null : StoredTime.Nearest(row.GetInt64(2))),
            CountSql, ("@applications", StoredJson.List(application.Counted)));
        // A status of a newer version is counted by that version only.
        return new DeadLetterCounts(
            counts.Where(c => c.Status is not null).ToDictionary(c => c.Status!.Value, c => c.Count), counts.Max(c => c.Oldest));
    }, cancellationToken);

    public Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var (sql, parameters) = SqliteLetterQuery.Groups(query);
        return readers.RunAsync(s =>
        {
            var groups = CountedGroup.Fold(s.Read(GroupColumns.Read, sql, parameters), limit);
            string newest = StoredJson.List(groups.Select(g => SqliteLetter.Id(g.Newest)));
            return StoredLetter.Groups(groups, s.Read(SqliteLetter.Read, NewestSql, ("@ids", newest)), log);
        }, cancellationToken);
    }

    public Task<int> CompleteAsync(CancellationToken cancellationToken) =>
        StoredLetter.CompleteAsync(
            last => readers.RunAsync(s => s.Read(SqliteLetter.Read, IncompleteSql, ("@after", last ?? "")), cancellationToken),
            letters => writer.RunAsync(s => letters.Sum(l => s.Execute(
                CompleteSql, ("@fingerprint", l.Fingerprint), ("@id", SqliteLetter.Id(l.Id)), ("@version", l.Version))), cancellationToken),
            CompletedAtOnce);

    // The first letter of each destination in the order of the index, one lookup for each.
    // Three searches, because SQLite uses only the first column of an index to compare rows: it would read all letters of a client.
    // The index is named, because the one by status looks better to the planner, and would read and sort all letters.
    internal const string BacklogSql = """
        WITH RECURSIVE first (id) AS (
          SELECT (
            SELECT rowid FROM dead_letters INDEXED BY dead_letters_to_claim WHERE status IN ('Pending', 'InProgress')
            ORDER BY client_name, authority, application, due_at LIMIT 1)
          UNION ALL
          SELECT coalesce(
            (SELECT n.rowid FROM dead_letters n INDEXED BY dead_letters_to_claim WHERE n.status IN ('Pending', 'InProgress')
               AND n.client_name = l.client_name AND n.authority = l.authority AND n.application > l.application
             ORDER BY n.application, n.due_at LIMIT 1),
            (SELECT n.rowid FROM dead_letters n INDEXED BY dead_letters_to_claim WHERE n.status IN ('Pending', 'InProgress')
               AND n.client_name = l.client_name AND n.authority > l.authority
             ORDER BY n.authority, n.application, n.due_at LIMIT 1),
            (SELECT n.rowid FROM dead_letters n INDEXED BY dead_letters_to_claim WHERE n.status IN ('Pending', 'InProgress')
               AND n.client_name > l.client_name
             ORDER BY n.client_name, n.authority, n.application, n.due_at LIMIT 1))
          FROM first JOIN dead_letters l ON l.rowid = first.id
        )
        SELECT l.application, l.client_name, l.authority, l.due_at FROM first JOIN dead_letters l ON l.rowid = first.id
        """;

    public Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken) =>
        readers.RunAsync<IReadOnlyList<DeadLetterBacklog>>(s => s.Read(
            row => new DeadLetterBacklog(
                row.GetString(0), row.GetString(1), row.GetString(2), StoredTime.Nearest(row.GetInt64(3))), BacklogSql), cancellationToken);

    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        var probe = LetterProbe.New(time.GetUtcNow());
        var row = SqliteLetter.Values(application.Owned(probe));
        await writer.RunAsync(
            s => s.Change(SqliteLetter.Insert, row) + s.Execute(DeleteSql, ("@id", SqliteLetter.Id(probe.Id))), cancellationToken,
            LetterProbe.Timeout).ConfigureAwait(false);
        writer.ShouldKeepMore();
    }

    public Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken) => _arrivals.WaitAsync(atMost, cancellationToken);

    // The first letter is taken whatever its size.
    private static IEnumerable<DueRow> Fitting(IReadOnlyList<DueRow> due, long maxBytes)
    {
        long total = 0;
        return due.TakeWhile((row, i) => (total += row.Size) <= maxBytes || i == 0);
    }

    // SQLite undoes the statement that fails, not the transaction: each row is then taken by itself, so that only one is set aside.
    private static List<StoredLetter> Take(SqliteSession session, IReadOnlyList<DueRow> due, (string, object?) lease)
    {
        try
        {
            var taken = session.Read(SqliteLetter.Read, TakeSql, lease, ("@rows", $"[{string.Join(',', due.Select(d => d.RowId))}]"));
            // The rows that a statement returns have no order.
            var order = due.Index().ToDictionary(d => d.Item.Id, d => d.Index, StringComparer.Ordinal);
            taken.Sort((one, other) => order[one.Id].CompareTo(order[other.Id]));
            return taken;
        }
        catch (SqliteException e) when (IsOfRow(e))
        {
            return due is [var row] ? [StoredLetter.Unwritable(row.Id, e)] : [.. due.SelectMany(d => Take(session, [d], lease))];
        }
    }

    private static void SetAside(SqliteSession session, string id)
    {
        try
        {
            session.Execute(SetAsideSql, ("@action", StoredLetter.Action), ("@id", id));
        }
        catch (SqliteException e) when (IsOfRow(e))
        {
            // The row cannot be changed at all, such as by a trigger; the others are sent.
        }
    }

    private static bool IsOfRow(SqliteException e) => e.SqliteErrorCode is SqliteDatabase.Constraint or SqliteDatabase.Mismatch;

    private static List<StoredLetter> Find(SqliteSession session, string id) => session.Read(SqliteLetter.Read, FindSql, ("@id", id));

    private readonly record struct DueRow(long RowId, string Id, long Size)
    {
        internal static DueRow Read(StoredRow row) =>
            new(row.GetInt64(0), row.GetString(1), 1024 + (row.IsDBNull(2) ? 0 : row.GetInt64(2)) + row.GetInt64(3)
                + (row.IsDBNull(4) ? 0 : row.GetInt64(4)));
    }
}
