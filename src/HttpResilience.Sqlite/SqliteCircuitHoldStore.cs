namespace HttpResilience;

/// <summary>The hosts that are held back, in a SQLite database.</summary>
internal sealed class SqliteCircuitHoldStore(SqliteWriter writer, SqliteReaders readers, StoredApplication application, StoredRows rows)
    : ICircuitHoldStore
{
    private static readonly string SaveSql = $"""
        INSERT INTO circuit_holds (application, {HoldColumns.Names})
        VALUES (?1, {string.Join(", ", HoldColumns.All.Select((_, i) => $"?{i + 2}"))})
        ON CONFLICT ({HoldColumns.Key}) DO UPDATE SET {HoldColumns.Changes}
        """;

    private const string LaterSql = """
        SELECT count(*) FROM circuit_holds
        WHERE application = @application AND client_name = @client AND authority = @authority AND tenant = @tenant
            AND (changed_at >= @at OR changed_at > @before)
        """;

    private static readonly string ListSql =
        $"SELECT {HoldColumns.Names} FROM circuit_holds WHERE application = @application ORDER BY client_name, authority, tenant";

    /// <summary>Whether no change of its time or a later one is there, nor one after that which was read.</summary>
    internal static bool IsLatest(
        SqliteSession session, CircuitHold hold, CircuitHold? read, StoredApplication application) => session.Scalar<long>(
        LaterSql, ("@application", application.Name), ("@client", StoredText.Storable(hold.ClientName)),
        ("@authority", StoredText.Storable(hold.Authority)), ("@tenant", StoredText.Storable(hold.Tenant ?? "")),
        ("@at", StoredTime.Microseconds(hold.At)), ("@before", read is null ? long.MinValue : StoredTime.Microseconds(read.At))) == 0;

    /// <summary>Stores a change within a transaction.</summary>
    internal static void Save(SqliteSession session, CircuitHold hold, StoredApplication application) =>
        session.Change(SaveSql, [application.Name, .. HoldColumns.All.Select(c => c.Write(hold))]);

    public Task<IReadOnlyList<CircuitHold>> ListAsync(CancellationToken cancellationToken) =>
        readers.RunAsync<IReadOnlyList<CircuitHold>>(
            s =>
            [
                .. s.Read(
                    row => rows.OrNull("circuit_holds", () => HoldColumns.Read(row)), ListSql, ("@application", application.Name))
                    .OfType<CircuitHold>(),
            ], cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => writer.RunAsync(
        s => s.Execute(
            "DELETE FROM circuit_holds WHERE is_held = 0 AND changed_at < @before", ("@before", StoredTime.Microseconds(before))),
        cancellationToken);
}
