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
