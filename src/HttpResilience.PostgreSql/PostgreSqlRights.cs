using Npgsql;

namespace HttpResilience;

/// <summary>The rights of the user of a connection, for the message about the one that is missing.</summary>
internal static class PostgreSqlRights
{
    private const string Sql = """
        SELECT s.oid IS NOT NULL,
          coalesce(has_schema_privilege(s.oid, 'USAGE'), FALSE),
          (SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c WHERE c.relnamespace = s.oid AND c.relkind IN ('r', 'p')
            AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
              AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')))
        FROM (SELECT 1) one LEFT JOIN pg_namespace s ON s.nspname = $1
        """;

    /// <summary>What an administrator has to grant, as the end of a sentence.</summary>
    internal static async Task<string> MissingAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(Sql, connection) { Parameters = { StoredTypes.Text(schema) } };
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        bool mayUseTables = await reader.IsDBNullAsync(2, cancellationToken).ConfigureAwait(false);
        string missing = (reader.GetBoolean(0), reader.GetBoolean(1), mayUseTables) switch
        {
            (false, _, _) => $"CREATE on the database, to create the schema {schema} on first use; or an administrator creates that schema",
            (_, false, _) => $"USAGE on the schema {schema}",
            (_, _, false) => $"SELECT, INSERT, UPDATE and DELETE on the tables {reader.GetString(2)} of the schema {schema}",
            _ => $"CREATE on the schema {schema}, and its tables if there are any, to create or update them",
        };
        return $"denies the user {connection.UserName} a right that it needs: grant {missing} (docs/postgresql.md has the statements)";
    }
}
