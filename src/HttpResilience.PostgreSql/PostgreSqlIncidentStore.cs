using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The incidents of an application in a PostgreSQL database. Their times are those of the server's clock.</summary>
internal sealed class PostgreSqlIncidentStore(PostgreSqlDatabase database, StoredApplication application, StoredRows rows)
    : IIncidentStore
{
    private static readonly string ListSql =
        $"SELECT {IncidentColumns.Names} FROM http_resilience.incidents WHERE application = $1 ORDER BY key";

    private static readonly string AddSql = $"""
        INSERT INTO http_resilience.incidents (application, {IncidentColumns.Names})
        VALUES ($1, {string.Join(", ", IncidentColumns.All.Select((_, i) => $"${i + 2}"))}) ON CONFLICT DO NOTHING
        """;

    private static readonly string UpdateSql = $"""
        UPDATE http_resilience.incidents
        SET {string.Join(", ", IncidentColumns.All.Select((c, i) => $"{c.Name} = ${i + 2}").Skip(1))}
        WHERE application = $1 AND key = $2 AND version = $3 - 1
        """;

    public Task<IReadOnlyList<StorageIncident>> ListAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<StorageIncident>>(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(ListSql), connection) { Parameters = { Text(application.Name) } };
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<StorageIncident> incidents = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (rows.OrNull("incidents", () => IncidentColumns.Read(reader)) is { } incident)
                incidents.Add(incident.At(-database.Clock.Ahead));
        }

        return incidents;
    }, cancellationToken);

    public Task<bool> SaveAsync(StorageIncident incident, CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var batch = PostgreSqlWriter.Durable(connection);
        var save = new NpgsqlBatchCommand(database.Sql(incident.Version == 0 ? AddSql : UpdateSql))
        {
            Parameters = { Text(application.Name) },
        };
        var row = incident.Next.At(database.Clock.Ahead);
        foreach (var column in IncidentColumns.All)
            save.Parameters.Add(column.Write(row)!);
        batch.BatchCommands.Add(save);
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        return save.RecordsAffected == 1;
    }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql("DELETE FROM http_resilience.incidents WHERE changed_at < $1"), connection)
        {
            Parameters = { Time(before.Plus(database.Clock.Ahead)) },
        };
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }, cancellationToken);
}
