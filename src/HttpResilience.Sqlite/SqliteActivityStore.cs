namespace HttpResilience;

/// <summary>What people did, in a SQLite database.</summary>
internal sealed class SqliteActivityStore(SqliteWriter writer, SqliteReaders readers, StoredApplication application, StoredRows rows)
    : IOperatorActivityStore
{
    private static readonly string AddSql = $"""
        INSERT INTO operator_activity (application, {ActivityColumns.Names})
        VALUES (?1, {string.Join(", ", ActivityColumns.All.Select((_, i) => $"?{i + 2}"))}) ON CONFLICT DO NOTHING
        """;

    private static readonly string ListSql = $"""
        SELECT {ActivityColumns.Names} FROM operator_activity
        WHERE application = @application AND (@before IS NULL OR id < @before) ORDER BY id DESC LIMIT @limit
        """;

    internal static void Add(SqliteSession session, OperatorActivity activity, StoredApplication application) =>
        session.Change(AddSql, [application.Name, .. ActivityColumns.All.Select(c => c.Write(activity))]);

    /// <summary>Adds letters to the entry, which is new or of an earlier portion of the same deed.</summary>
    internal static void AddLetters(SqliteSession session, OperatorActivity activity, int letters, StoredApplication application)
    {
        Add(session, activity with { Letters = 0 }, application);
        session.Execute(
            "UPDATE operator_activity SET letters = letters + @letters WHERE id = @id", ("@letters", letters),
            ("@id", SqliteLetter.Id(activity.Id)));
    }

    public Task<IReadOnlyList<OperatorActivity>> ListAsync(Guid? before, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return readers.RunAsync<IReadOnlyList<OperatorActivity>>(
            s =>
            [
                .. s.Read(
                    row => rows.OrNull("operator_activity", () => ActivityColumns.Read(row)), ListSql, ("@application", application.Name),
                    ("@before", before is { } id ? SqliteLetter.Id(id) : null), ("@limit", limit)).OfType<OperatorActivity>(),
            ], cancellationToken);
    }

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => writer.RunAsync(
        s => s.Execute("DELETE FROM operator_activity WHERE at < @before", ("@before", StoredTime.Microseconds(before))),
        cancellationToken);
}
