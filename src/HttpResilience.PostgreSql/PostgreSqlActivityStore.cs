using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>What people did, in a PostgreSQL database.</summary>
internal sealed class PostgreSqlActivityStore(PostgreSqlDatabase database, StoredApplication application, StoredRows rows)
    : IOperatorActivityStore
{
    private static readonly string AddSql = $"""
        INSERT INTO http_resilience.operator_activity (application, {ActivityColumns.Names})
        VALUES ($1, {string.Join(", ", ActivityColumns.All.Select((_, i) => $"${i + 2}"))}) ON CONFLICT DO NOTHING
        """;

    private static readonly string ListSql = $"""
        SELECT {ActivityColumns.Names} FROM http_resilience.operator_activity
        WHERE application = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
        """;

    internal static NpgsqlBatchCommand Add(PostgreSqlDatabase database, OperatorActivity activity, StoredApplication application)
    {
        var command = new NpgsqlBatchCommand(database.Sql(AddSql)) { Parameters = { Text(application.Name) } };
        foreach (var column in ActivityColumns.All)
            command.Parameters.Add(column.Write(activity)!);
        return command;
    }

    /// <summary>Adds letters to the entry, which is new or of an earlier portion of the same deed.</summary>
    internal static NpgsqlBatchCommand AddLetters(
        PostgreSqlDatabase database, OperatorActivity activity, int letters, StoredApplication application)
    {
        var command = Add(database, activity with { Letters = letters }, application);
        command.CommandText = command.CommandText.Replace(
            "DO NOTHING", "(id) DO UPDATE SET letters = operator_activity.letters + excluded.letters", StringComparison.Ordinal);
        return command;
    }

    internal static async Task<bool> IsThereAsync(
        NpgsqlConnection connection, PostgreSqlDatabase database, Guid id, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(
            database.Sql("SELECT 1 FROM http_resilience.operator_activity WHERE id = $1"), connection)
        {
            Parameters = { Value(id) },
        };
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not null;
    }

    public Task<IReadOnlyList<OperatorActivity>> ListAsync(Guid? before, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return database.RunAsync<IReadOnlyList<OperatorActivity>>(async (connection, _) =>
        {
            using var command = new NpgsqlCommand(database.Sql(ListSql), connection)
            {
                Parameters = { Text(application.Name), Uuid(before), Value(limit) },
            };
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerScope = reader.ConfigureAwait(false);
            List<OperatorActivity> activity = [];
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (rows.OrNull("operator_activity", () => ActivityColumns.Read(reader)) is { } entry)
                    activity.Add(entry);
            }

            return activity;
        }, cancellationToken);
    }

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql("DELETE FROM http_resilience.operator_activity WHERE at < $1"), connection)
        {
            Parameters = { Time(before) },
        };
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }, cancellationToken);
}
