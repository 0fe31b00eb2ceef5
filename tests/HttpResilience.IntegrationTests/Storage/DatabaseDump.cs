using System.Text;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The whole content of a database as text, from its files or its tables.</summary>
internal static class DatabaseDump
{
    internal static Task<string> OfAsync(TestDatabase database, CancellationToken cancellationToken) =>
        database is SqliteTestDatabase sqlite ? OfFilesAsync(sqlite.Directory, cancellationToken)
            : OfTablesAsync(database.ConnectionString, cancellationToken);

    private static async Task<string> OfFilesAsync(string directory, CancellationToken cancellationToken)
    {
        var dump = new StringBuilder();
        foreach (string file in Directory.GetFiles(directory))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes, cancellationToken);
            dump.Append(Encoding.Latin1.GetString(bytes.ToArray()));
        }

        return dump.ToString();
    }

    private static async Task<string> OfTablesAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        var tables = new List<string>();
        await using (var list = new NpgsqlCommand(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'http_resilience'", connection))
        await using (var reader = await list.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                tables.Add(reader.GetString(0));
        }

        var dump = new StringBuilder();
        foreach (string table in tables)
        {
            // Bytes as text, so that their content can be searched.
            await using var rows = new NpgsqlCommand(
                $"SELECT encode(convert_to(t::text, 'UTF8'), 'escape') || coalesce(to_jsonb(t)::text, '') FROM {table} t", connection);
            await using var reader = await rows.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                dump.AppendLine(reader.GetString(0));
        }

        await using var bodies = new NpgsqlCommand(
            "SELECT convert_from(body, 'UTF8') FROM http_resilience.dead_letters WHERE body IS NOT NULL", connection);
        await using var texts = await bodies.ExecuteReaderAsync(cancellationToken);
        while (await texts.ReadAsync(cancellationToken))
            dump.AppendLine(texts.GetString(0));
        return dump.ToString();
    }
}
