namespace HttpResilience;

/// <summary>
/// The checkpoints of a SQLite database. Each operation uses the batch of this application or, if it has none of that name, the batch
/// without an application: a batch of version 1 is resumed at its checkpoint.
/// </summary>
internal sealed class SqliteCheckpointStore(SqliteWriter writer, SqliteReaders readers, StoredApplication application, StoredRows rows)
    : ICheckpointStore
{
    private const string FindSql =
        "SELECT name FROM checkpoints WHERE name IN (@name, @name_of_none) ORDER BY name <> @name LIMIT 1";

    private static readonly string FailSql = $"""
        INSERT OR REPLACE INTO checkpoint_failures (name, {FailureColumns.Names})
        VALUES (@name, {string.Join(", ", FailureColumns.All.Select(c => $"@{c.Name}"))})
        """;

    private static readonly string FailuresSql = $"""
        SELECT {FailureColumns.Names} FROM checkpoint_failures
        WHERE name = @name AND record_index > @after ORDER BY record_index LIMIT @limit
        """;

    // The time at which the first run began stays.
    private static readonly string SaveRunSql = $"""
        UPDATE checkpoints SET {string.Join(", ", BatchColumns.OfRun.Select(
            c => c.Name == "begun_at" ? "begun_at = coalesce(begun_at, @begun_at)" : $"{c.Name} = @{c.Name}"))}
        WHERE name = @name
        """;

    private static readonly string ListSql = $"""
        SELECT {BatchColumns.Selected("checkpoint_failures")} FROM checkpoints c
        WHERE instr(c.name, @separator) = 0 OR (@prefix IS NOT NULL AND substr(c.name, 1, length(@prefix)) = @prefix)
        ORDER BY coalesce(c.run_saved_at, 0) DESC, c.name LIMIT @limit
        """;

    private static readonly string FindBatchSql = $"""
        SELECT {BatchColumns.Selected("checkpoint_failures")} FROM checkpoints c WHERE c.name IN (@name, @name_of_none)
        """;

    public Task<StoredCheckpoint> BeginAsync(
        string name, Guid owner, DateTimeOffset now, DateTimeOffset leaseUntil, CancellationToken cancellationToken) => writer.RunAsync(s =>
    {
        var batch = Find(s, name);
        s.Execute(
            """
            INSERT INTO checkpoints AS c (name, owner, lease_until, position, done) VALUES (@name, @owner, @lease_until, 0, '[]')
            ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
            WHERE c.owner = excluded.owner OR c.lease_until <= @now
            """,
            batch, ("@owner", owner.ToString("D")), ("@lease_until", StoredTime.Microseconds(leaseUntil)),
            ("@now", StoredTime.Microseconds(now)));
        return s.Read(
            row => StoredRows.OrThrow($"the checkpoint '{name}'", () => new StoredCheckpoint(
                Guid.Parse(row.GetString(0)), StoredTime.From(row.GetInt64(1)), row.GetInt64(2), StoredJson.Ranges(row.GetString(3)))),
            "SELECT owner, lease_until, position, done FROM checkpoints WHERE name = @name", batch).Single();
    }, cancellationToken);

    public Task<bool> SaveAsync(CheckpointUpdate update, CancellationToken cancellationToken)
    {
        return writer.RunAsync(s =>
        {
            var name = Find(s, update.Name);
            bool isOwn = s.Execute(
                """
                UPDATE checkpoints SET lease_until = @lease_until, position = @position, done = @done WHERE name = @name AND owner = @owner
                """,
                name, ("@owner", update.Owner.ToString("D")), ("@lease_until", StoredTime.Microseconds(update.LeaseUntil)),
                ("@position", update.Position),
                ("@done", StoredJson.Ranges(update.Done))) == 1;
            if (!isOwn)
                return false;

            if (update.Run is { } run)
            {
                BatchColumns.Row row = new(update.Owner, run);
                s.Execute(SaveRunSql, [name, .. BatchColumns.OfRun.Select(c => ($"@{c.Name}", c.Write(row)))]);
            }

            foreach (long index in update.Healed)
                s.Execute("DELETE FROM checkpoint_failures WHERE name = @name AND record_index = @record_index", name,
                ("@record_index", index));
            foreach (var failure in update.Failed)
                s.Execute(FailSql, [name, .. FailureColumns.All.Select(c => ($"@{c.Name}", c.Write(failure)))]);
            return true;
        }, cancellationToken);
    }

    public Task<IReadOnlyList<BatchFailure>> FailuresAsync(string name, long? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return readers.RunAsync<IReadOnlyList<BatchFailure>>(s => s.Read(
            row => FailureColumns.Read(row, rows), FailuresSql, Find(s, name), ("@after", after ?? -1), ("@limit", limit)),
            cancellationToken);
    }

    public Task<IReadOnlyList<StoredBatch>> ListAsync(int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return readers.RunAsync(
            s => BatchList.Of(
                Batches(s, ListSql, ("@separator", StoredApplication.SeparatorText), ("@prefix", application.Prefix), ("@limit", limit)),
                limit),
            cancellationToken);
    }

    public Task<StoredBatch?> FindAsync(string name, CancellationToken cancellationToken) => readers.RunAsync(s =>
    {
        var (own, none) = Names(name);
        return BatchList.Of(Batches(s, FindBatchSql, own, none), 1) is [var batch] ? batch : null;
    }, cancellationToken);

    private IEnumerable<(bool, StoredBatch)> Batches(
        SqliteSession session, string sql, params ReadOnlySpan<(string, object?)> parameters) =>
        session.Read(row => rows.Or("checkpoints", () => BatchColumns.Read(row, application), _ => null), sql, parameters)
            .OfType<(bool, StoredBatch)>();

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => writer.RunAsync(s =>
    {
        var (own, none) = Names(name);
        s.Execute("DELETE FROM checkpoint_failures WHERE name IN (@name, @name_of_none)", own, none);
        return s.Execute("DELETE FROM checkpoints WHERE name IN (@name, @name_of_none)", own, none) > 0;
    }, cancellationToken);

    // The name of the batch in its row.
    private (string, object?) Find(SqliteSession session, string name)
    {
        var (own, none) = Names(name);
        return session.Scalar<string>(FindSql, own, none) is { } found ? ("@name", found) : own;
    }

    private ((string, object?) Own, (string, object?) None) Names(string name) =>
        (("@name", application.Own(name)), ("@name_of_none", StoredApplication.OfNone(name)));
}
