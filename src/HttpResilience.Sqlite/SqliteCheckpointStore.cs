namespace HttpResilience;

/// <summary>The checkpoints of a SQLite database.</summary>
internal sealed class SqliteCheckpointStore(SqliteWriter writer, SqliteReaders readers) : ICheckpointStore
{
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
        s.Execute(
            """
            INSERT INTO checkpoints AS c (name, owner, lease_until, position, done) VALUES (@name, @owner, @lease_until, 0, '[]')
            ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
            WHERE c.owner = excluded.owner OR c.lease_until <= @now
            """,
            ("@name", StoredText.Storable(name)), ("@owner", owner.ToString("D")), ("@lease_until", StoredTime.Microseconds(leaseUntil)),
            ("@now", StoredTime.Microseconds(now)));
        return s.Read(
            row => new StoredCheckpoint(
                Guid.Parse(row.GetString(0)), StoredTime.From(row.GetInt64(1)), row.GetInt64(2), StoredJson.Ranges(row.GetString(3))),
            "SELECT owner, lease_until, position, done FROM checkpoints WHERE name = @name", ("@name", StoredText.Storable(name))).Single();
    }, cancellationToken);

    public Task<bool> SaveAsync(CheckpointUpdate update, CancellationToken cancellationToken)
    {
        var name = ("@name", (object?)StoredText.Storable(update.Name));
        return writer.RunAsync(s =>
        {
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
            FailureColumns.Read, FailuresSql,
            ("@name", StoredText.Storable(name)), ("@after", after ?? -1), ("@limit", limit)), cancellationToken);
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => writer.RunAsync(s =>
    {
        var parameter = ("@name", (object?)StoredText.Storable(name));
        s.Execute("DELETE FROM checkpoint_failures WHERE name = @name", parameter);
        return s.Execute("DELETE FROM checkpoints WHERE name = @name", parameter) == 1;
    }, cancellationToken);
}
