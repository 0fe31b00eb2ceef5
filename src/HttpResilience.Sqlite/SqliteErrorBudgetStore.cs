namespace HttpResilience;

/// <summary>The counts of error budgets in a SQLite database.</summary>
internal sealed class SqliteErrorBudgetStore(SqliteWriter writer, SqliteReaders readers, StoredApplication application, StoredRows rows)
    : IErrorBudgetStore
{
    private const string RegisterSql = """
        INSERT INTO error_budget_writers AS w (writer, sequence, saved_at) VALUES (@writer, @sequence, @at)
        ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence, saved_at = excluded.saved_at WHERE w.sequence < excluded.sequence
        """;

    private const string AddSql = """
        INSERT INTO error_budget_counts (client_name, period, version, failure_class, calls)
        VALUES (@client_name, @period, @version, @failure_class, @calls)
        ON CONFLICT (client_name, period, version, failure_class) DO UPDATE
        SET calls = min(calls, 9223372036854775807 - excluded.calls) + excluded.calls
        """;

    private const string PauseSql = """
        INSERT INTO error_budget_pauses AS p (client_name, is_paused, changed_by, changed_at, note, note_at)
        VALUES (@client_name, @is_paused, @by, @at, @note, @at)
        ON CONFLICT (client_name) DO UPDATE SET is_paused = excluded.is_paused, changed_by = excluded.changed_by,
          changed_at = excluded.changed_at, note = excluded.note, note_at = excluded.note_at
        WHERE p.changed_at < excluded.changed_at
        """;

    private const string LastPauseSql =
        "SELECT max(changed_at) FROM error_budget_pauses WHERE client_name IN (@client_name, @name_of_none)";

    private const string StartedSql = """
        INSERT INTO deployed_versions AS v (version, first_seen_at, last_started_at) VALUES (@version, @at, @at)
        ON CONFLICT (version) DO UPDATE SET
          first_seen_at = min(v.first_seen_at, excluded.first_seen_at), last_started_at = max(v.last_started_at, excluded.last_started_at)
        """;

    public Task<bool> AddAsync(ErrorBudgetUpdate update, CancellationToken cancellationToken) => writer.RunAsync(s =>
    {
        var at = ("@at", (object?)StoredTime.Microseconds(update.At));
        if (s.Execute(RegisterSql, ("@writer", update.Writer.ToString("D")), ("@sequence", update.Sequence), at) == 0)
            return false;
        foreach (var count in update.Counts)
            s.Execute(AddSql, Parameters(count));
        return true;
    }, cancellationToken);

    public Task<IReadOnlyList<ErrorBudgetCount>> LoadAsync(string clientName, DateTimeOffset since, CancellationToken cancellationToken) =>
        readers.RunAsync<IReadOnlyList<ErrorBudgetCount>>(s => [.. s.Read(
            // A failure class of a newer version is skipped; the other counts remain usable.
            row => StoredText.NamedOrNull<FailureClass>(row.GetString(2)) is { } failureClass
                ? rows.OrNull("error_budget_counts", () => new ErrorBudgetCount(
                    clientName, row.GetString(1), StoredTime.From(row.GetInt64(0)), failureClass, row.GetInt64(3)))
                : null,
            """
            SELECT period, version, failure_class, CAST(min(total(calls), 9e18) AS INTEGER) FROM error_budget_counts
            WHERE client_name IN (@client_name, @name_of_none) AND period >= @since
            GROUP BY period, version, failure_class ORDER BY period, version, failure_class
            """,
            ("@client_name", application.Own(clientName)), ("@name_of_none", StoredApplication.OfNone(clientName)),
            ("@since", StoredTime.Microseconds(since))).OfType<ErrorBudgetCount>()],
            cancellationToken);

    /// <summary>Whether no change of the client is stored that is later than the one that was read.</summary>
    internal static bool IsLast(SqliteSession session, string clientName, ErrorBudgetPause? read, StoredApplication application) =>
        session.Scalar<long?>(
            LastPauseSql, ("@client_name", application.Own(clientName)), ("@name_of_none", StoredApplication.OfNone(clientName)))
            is not { } last || (read is not null && last <= StoredTime.Microseconds(read.At));

    internal static int Save(SqliteSession session, ErrorBudgetPause pause, StoredApplication application) => session.Execute(
        PauseSql, ("@client_name", application.Own(pause.ClientName)), ("@is_paused", pause.IsPaused ? 1 : 0),
        ("@by", StoredText.Storable(pause.By)), ("@at", StoredTime.Microseconds(pause.At)), ("@note", StoredText.Storable(pause.Note)));

    public Task SetPauseAsync(ErrorBudgetPause pause, CancellationToken cancellationToken) =>
        writer.RunAsync(s => Save(s, pause, application), cancellationToken);

    public Task<IReadOnlyList<ErrorBudgetPause>> PausesAsync(CancellationToken cancellationToken) => readers.RunAsync(
        s => application.PausesIn(s.Read(
            row => rows.OrNull("error_budget_pauses", () => new ErrorBudgetPause(
                row.GetString(0), row.GetInt64(1) != 0, row.IsDBNull(2) ? null : row.GetString(2), StoredTime.From(row.GetInt64(3)))
            {
                Note = row.IsDBNull(4) ? null : row.GetString(4),
            }),
            """
            SELECT client_name, is_paused, changed_by, changed_at, CASE WHEN note_at = changed_at THEN note END FROM error_budget_pauses
            """).OfType<ErrorBudgetPause>()),
        cancellationToken);

    public Task<IReadOnlyList<DeployedVersion>> StartedAsync(string version, DateTimeOffset at, CancellationToken cancellationToken) =>
        writer.RunAsync(s =>
        {
            s.Execute(StartedSql, ("@version", application.Own(version)), ("@at", StoredTime.Microseconds(at)));
            return application.VersionsIn(
                s.Read(
                    row => rows.OrNull("deployed_versions", () => Version(row)),
                    "SELECT version, first_seen_at, last_started_at FROM deployed_versions").OfType<DeployedVersion>());
        }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => writer.RunAsync(s =>
    {
        var parameter = ("@before", (object?)StoredTime.Microseconds(before));
        s.Execute("DELETE FROM error_budget_writers WHERE saved_at < @before", parameter);
        return s.Execute("DELETE FROM error_budget_counts WHERE period < @before", parameter);
    }, cancellationToken);

    private (string, object?)[] Parameters(ErrorBudgetCount count) =>
    [
        ("@client_name", application.Own(count.ClientName)), ("@period", StoredTime.Microseconds(count.Period)),
        ("@version", StoredText.Storable(count.Version)),
        ("@failure_class", count.FailureClass.ToString()), ("@calls", count.Calls),
    ];

    private static DeployedVersion Version(StoredRow row) =>
        new(row.GetString(0), StoredTime.From(row.GetInt64(1)), StoredTime.From(row.GetInt64(2)));
}
