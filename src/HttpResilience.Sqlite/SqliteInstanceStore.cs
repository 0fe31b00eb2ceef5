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

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => writer.RunAsync(
        s => s.Execute("DELETE FROM instances WHERE seen_at < @before", ("@before", StoredTime.Microseconds(before))), cancellationToken);
}
