namespace HttpResilience;

/// <summary>The processes that use a SQLite database.</summary>
internal sealed class SqliteInstanceStore(SqliteWriter writer, SqliteReaders readers, StoredRows rows) : IInstanceStore
{
    private static readonly string SaveSql = $"""
        INSERT INTO instances ({InstanceColumns.Names}) VALUES ({string.Join(", ", InstanceColumns.All.Select(c => $"@{c.Name}"))})
        ON CONFLICT (id) DO UPDATE SET {InstanceColumns.Changes}
        """;

    private static readonly string ListSql = $"SELECT {InstanceColumns.Names} FROM instances WHERE seen_at >= @since ORDER BY id";

    public Task SaveAsync(StorageInstance instance, CancellationToken cancellationToken) => writer.RunAsync(
        s => s.Execute(SaveSql, [.. InstanceColumns.All.Select(c => ($"@{c.Name}", c.Write(instance)))]), cancellationToken);

    public Task<IReadOnlyList<StorageInstance>> ListAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        readers.RunAsync<IReadOnlyList<StorageInstance>>(
            s =>
            [
                .. s.Read(
                    row => rows.OrNull("instances", () => InstanceColumns.Read(row)), ListSql,
                    ("@since", StoredTime.Microseconds(since))).OfType<StorageInstance>(),
            ], cancellationToken);

    // Counts of letters that differ from the letters: INSERT OR REPLACE by hand, for one, runs no trigger for the row that it deletes.
    private const string WrongCountsSql = """
        SELECT application, status, sum(letters) FROM (
          SELECT application, status, count(*) AS letters FROM dead_letters GROUP BY application, status
          UNION ALL
          SELECT application, status, 0 FROM letter_counts)
        GROUP BY application, status
        EXCEPT
        SELECT application, status, letters FROM letter_counts WHERE TRUE
        """;

    private const string MendCountsSql = $"""
        INSERT INTO letter_counts {WrongCountsSql} ON CONFLICT (application, status) DO UPDATE SET letters = excluded.letters
        """;

    public async Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var time = ("@before", (object?)StoredTime.Microseconds(before));
        int purged = await writer.RunAsync(s => s.Execute("DELETE FROM instances WHERE seen_at < @before", time), cancellationToken)
            .ConfigureAwait(false);
        // Looked for by a reader, because counting all letters would keep the writer.
        if (await readers.RunAsync(s => s.Scalar<long>($"SELECT EXISTS ({WrongCountsSql})"), cancellationToken).ConfigureAwait(false) > 0)
            await writer.RunAsync(s => s.Execute(MendCountsSql), cancellationToken).ConfigureAwait(false);
        return purged;
    }
}
