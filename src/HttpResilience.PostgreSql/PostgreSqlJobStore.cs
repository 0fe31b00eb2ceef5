using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The jobs of an application in a PostgreSQL database.</summary>
internal sealed class PostgreSqlJobStore(PostgreSqlDatabase database, StoredApplication application, StoredRows rows) : ILetterJobStore
{
    // A job with the same filter may be running.
    private static readonly string AddSql = $"""
        INSERT INTO http_resilience.letter_jobs ({JobColumns.Names})
        VALUES ({string.Join(", ", JobColumns.All.Select((_, i) => $"${i + 1}"))}) ON CONFLICT DO NOTHING
        """;

    private static readonly string UpdateSql = $"""
        UPDATE http_resilience.letter_jobs
        SET version = version + 1, {string.Join(", ", JobColumns.Changing.Select((c, i) => $"{c.Name} = ${i + 1}").Skip(2))}
        WHERE id = $1 AND version = $2
        """;

    private static readonly string ListSql = $"""
        SELECT {JobColumns.Names} FROM http_resilience.letter_jobs
        WHERE application = $1 AND ($2::text IS NULL OR state = $2) ORDER BY id DESC LIMIT $3
        """;

    private static readonly string FindSql = $"SELECT {JobColumns.Names} FROM http_resilience.letter_jobs WHERE id = $1";

    private const string ProgressSql = """
        SELECT
          (SELECT count(*) FROM http_resilience.dead_letters
            WHERE job_id = $1 AND job_ended_at IS NULL AND status IN ('Pending', 'InProgress')),
          CASE WHEN $2 THEN (SELECT count(*) FROM http_resilience.dead_letters WHERE job_id = $1 AND job_accepted = 1) ELSE 0 END,
          CASE WHEN $2 THEN (SELECT count(*) FROM http_resilience.dead_letters WHERE job_id = $1 AND job_accepted = 0) ELSE 0 END,
          ARRAY(SELECT job_accepted = 1 FROM http_resilience.dead_letters
            WHERE job_id = $1 AND job_accepted IS NOT NULL ORDER BY job_ended_at DESC LIMIT 20)
        """;

    /// <summary>Stores a job within a transaction; false when it has changed meanwhile, or one with the same filter is running.</summary>
    internal static async Task<bool> SaveAsync(
        NpgsqlConnection connection, PostgreSqlDatabase database, LetterJob job, StoredApplication application,
        CancellationToken cancellationToken)
    {
        bool isNew = job.Version == 0;
        using var command = new NpgsqlCommand(database.Sql(isNew ? AddSql : UpdateSql), connection);
        var row = isNew ? job with { Version = 1, Application = job.Application.Length > 0 ? job.Application : application.Name } : job;
        foreach (var column in isNew ? JobColumns.All : JobColumns.Changing)
            command.Parameters.Add(column.Write(row)!);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 1;
    }

    public Task<IReadOnlyList<LetterJob>> ListAsync(LetterJobState? state, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return database.RunAsync<IReadOnlyList<LetterJob>>(async (connection, _) =>
        {
            using var command = new NpgsqlCommand(database.Sql(ListSql), connection)
            {
                Parameters = { Text(application.Name), Text(state?.ToString()), Value(limit) },
            };
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            List<LetterJob> jobs = [];
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (rows.OrNull("letter_jobs", () => JobColumns.Read(reader)) is { } job)
                    jobs.Add(job);
            }

            return jobs;
        }, cancellationToken);
    }

    public Task<LetterJob?> FindAsync(Guid id, CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(FindSql), connection) { Parameters = { Value(id) } };
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
            ? StoredRows.OrThrow($"Job {id}", () => JobColumns.Read(reader)) : null;
    }, cancellationToken);

    public Task<LetterJobProgress> ProgressAsync(Guid id, bool withTotals, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(ProgressSql), connection) { Parameters = { Value(id), Value(withTotals) } };
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new LetterJobProgress(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetFieldValue<bool[]>(3));
    }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql("DELETE FROM http_resilience.letter_jobs WHERE ended_at < $1"), connection)
        {
            Parameters = { Time(before) },
        };
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }, cancellationToken);
}
