namespace HttpResilience;

/// <summary>The incidents of an application in a SQLite database.</summary>
internal sealed class SqliteIncidentStore(
    SqliteWriter writer, SqliteReaders readers, StoredApplication application, StoredRows rows) : IIncidentStore
{
    private static readonly string ListSql =
        $"SELECT {IncidentColumns.Names} FROM incidents WHERE application = @application ORDER BY key";

    private static readonly string AddSql = $"""
        INSERT INTO incidents (application, {IncidentColumns.Names})
        VALUES (@application, {string.Join(", ", IncidentColumns.All.Select(c => $"@{c.Name}"))}) ON CONFLICT DO NOTHING
        """;

    private static readonly string UpdateSql = $"""
        UPDATE incidents SET {string.Join(", ", IncidentColumns.All.Skip(1).Select(c => $"{c.Name} = @{c.Name}"))}
        WHERE application = @application AND key = @key AND version = @version - 1
        """;

    public Task<IReadOnlyList<StorageIncident>> ListAsync(CancellationToken cancellationToken) =>
        readers.RunAsync<IReadOnlyList<StorageIncident>>(
            s =>
            [
                .. s.Read(row => rows.OrNull("incidents", () => IncidentColumns.Read(row)), ListSql, ("@application", application.Name))
                    .OfType<StorageIncident>(),
            ], cancellationToken);

    public Task<bool> SaveAsync(StorageIncident incident, CancellationToken cancellationToken)
    {
        var next = incident.Next;
        (string, object?)[] row =
            [("@application", application.Name), .. IncidentColumns.All.Select(c => ($"@{c.Name}", c.Write(next)))];
        return writer.RunAsync(s => s.Execute(incident.Version == 0 ? AddSql : UpdateSql, row) == 1, cancellationToken);
    }

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => writer.RunAsync(
        s => s.Execute("DELETE FROM incidents WHERE changed_at < @before", ("@before", StoredTime.Microseconds(before))),
        cancellationToken);
}
