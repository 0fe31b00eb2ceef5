using Npgsql;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The hosts that are held back, in a PostgreSQL database.</summary>
internal sealed class PostgreSqlCircuitHoldStore(PostgreSqlDatabase database, StoredApplication application, StoredRows rows)
    : ICircuitHoldStore
{
    private static readonly string SaveSql = $"""
        INSERT INTO http_resilience.circuit_holds AS h (application, {HoldColumns.Names})
        VALUES ($1, {string.Join(", ", HoldColumns.All.Select((_, i) => $"${i + 2}"))})
        ON CONFLICT ({HoldColumns.Key}) DO UPDATE SET {HoldColumns.Changes}
        WHERE h.changed_at < excluded.changed_at AND h.changed_at <= ${HoldColumns.All.Count + 2}
        """;

    private static readonly string ListSql = $"""
        SELECT {HoldColumns.Names} FROM http_resilience.circuit_holds WHERE application = $1 ORDER BY client_name, authority, tenant
        """;

    /// <summary>Stores a change within a transaction; false when a later one is there, or one after that which was read.</summary>
    internal static async Task<bool> SaveAsync(
        NpgsqlConnection connection, PostgreSqlDatabase database, CircuitHold hold, CircuitHold? read, StoredApplication application,
        CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(database.Sql(SaveSql), connection) { Parameters = { Text(application.Name) } };
        foreach (var column in HoldColumns.All)
            command.Parameters.Add(column.Write(hold)!);
        command.Parameters.Add(Time(read?.At));
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 1;
    }

    public Task<IReadOnlyList<CircuitHold>> ListAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<CircuitHold>>(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(database.Sql(ListSql), connection) { Parameters = { Text(application.Name) } };
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        List<CircuitHold> holds = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (rows.OrNull("circuit_holds", () => HoldColumns.Read(reader)) is { } hold)
                holds.Add(hold);
        }

        return holds;
    }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.RunAsync(async (connection, _) =>
    {
        using var command = new NpgsqlCommand(
            database.Sql("DELETE FROM http_resilience.circuit_holds WHERE NOT is_held AND changed_at < $1"), connection)
        {
            Parameters = { Time(before) },
        };
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }, cancellationToken);
}
