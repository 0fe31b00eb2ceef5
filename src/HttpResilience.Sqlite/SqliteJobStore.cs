namespace HttpResilience;

/// <summary>The jobs of an application in a SQLite database.</summary>
internal sealed class SqliteJobStore(SqliteWriter writer, SqliteReaders readers, StoredApplication application, StoredRows rows)
    : ILetterJobStore
{
    // A job with the same filter may be running.
    private static readonly string AddSql = $"""
        INSERT INTO letter_jobs ({JobColumns.Names}) VALUES ({string.Join(", ", JobColumns.All.Select((_, i) => $"?{i + 1}"))})
        ON CONFLICT DO NOTHING
        """;

    private static readonly string UpdateSql = $"""
        UPDATE letter_jobs
        SET version = version + 1, {string.Join(", ", JobColumns.Changing.Select((c, i) => $"{c.Name} = ?{i + 1}").Skip(2))}
        WHERE id = ?1 AND version = ?2
        """;

    private static readonly string ListSql = $"""
        SELECT {JobColumns.Names} FROM letter_jobs
        WHERE application = @application AND (@state IS NULL OR state = @state) ORDER BY id DESC LIMIT @limit
        """;

    private static readonly string FindSql = $"SELECT {JobColumns.Names} FROM letter_jobs WHERE id = @id";

    private const string ProgressSql = """
        SELECT (SELECT count(*) FROM dead_letters WHERE job_id = @id AND job_ended_at IS NULL AND status IN ('Pending', 'InProgress')),
          CASE WHEN @totals THEN (SELECT count(*) FROM dead_letters WHERE job_id = @id AND job_accepted = 1) ELSE 0 END,
          CASE WHEN @totals THEN (SELECT count(*) FROM dead_letters WHERE job_id = @id AND job_accepted = 0) ELSE 0 END
        """;

    private const string RecentSql = """
        SELECT job_accepted FROM dead_letters WHERE job_id = @id AND job_accepted IS NOT NULL ORDER BY job_ended_at DESC LIMIT 20
        """;

    /// <summary>Stores a job within a transaction; false when it has changed meanwhile, or one with the same filter is running.</summary>
    internal static bool Save(SqliteSession session, LetterJob job, StoredApplication application) => job.Version == 0
        ? session.Change(AddSql, [.. JobColumns.All.Select(c => c.Write(Owned(job, application) with { Version = 1 }))]) == 1
        : session.Change(UpdateSql, [.. JobColumns.Changing.Select(c => c.Write(job))]) == 1;

    public Task<IReadOnlyList<LetterJob>> ListAsync(LetterJobState? state, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return readers.RunAsync<IReadOnlyList<LetterJob>>(
            s =>
            [
                .. s.Read(
                    row => rows.OrNull("letter_jobs", () => JobColumns.Read(row)), ListSql, ("@application", application.Name),
                    ("@state", state?.ToString()), ("@limit", limit)).OfType<LetterJob>(),
            ], cancellationToken);
    }

    public async Task<LetterJob?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        await readers.RunAsync(
            s => s.Read(
                row => StoredRows.OrThrow($"Job {id}", () => JobColumns.Read(row)), FindSql, ("@id", SqliteLetter.Id(id))),
            cancellationToken).ConfigureAwait(false) is [var job] ? job : null;

    public Task<LetterJobProgress> ProgressAsync(Guid id, bool withTotals, CancellationToken cancellationToken) => readers.RunAsync(s =>
    {
        (string, object?) job = ("@id", SqliteLetter.Id(id));
        var recent = s.Read(row => row.GetInt64(0) != 0, RecentSql, job);
        return s.Read(
            row => new LetterJobProgress(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), recent), ProgressSql, job,
            ("@totals", withTotals ? 1 : 0))[0];
    }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => writer.RunAsync(
        s => s.Execute("DELETE FROM letter_jobs WHERE ended_at < @before", ("@before", StoredTime.Microseconds(before))),
        cancellationToken);

    private static LetterJob Owned(LetterJob job, StoredApplication application) =>
        job.Application.Length > 0 ? job : job with { Application = application.Name };
}
