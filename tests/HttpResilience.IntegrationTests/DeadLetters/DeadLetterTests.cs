using System.Text;
using HttpResilience.IntegrationTests.Storage;
using Npgsql;

namespace HttpResilience.IntegrationTests.DeadLetters;

public sealed class SqliteDeadLetterTests : DeadLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    private protected override async Task<string> DumpAsync()
    {
        var dump = new StringBuilder();
        foreach (string file in Directory.GetFiles(((SqliteTestDatabase)Database).Directory))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes, Token);
            dump.Append(Encoding.Latin1.GetString(bytes.ToArray()));
        }

        return dump.ToString();
    }
}

public sealed class PostgreSqlDeadLetterTests(PostgreSqlServer server) : DeadLetterContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    private protected override async Task<string> DumpAsync()
    {
        await using var connection = new NpgsqlConnection(Database.ConnectionString);
        await connection.OpenAsync(Token);
        var tables = new List<string>();
        await using (var list = new NpgsqlCommand(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'http_resilience'", connection))
        await using (var reader = await list.ExecuteReaderAsync(Token))
        {
            while (await reader.ReadAsync(Token))
                tables.Add(reader.GetString(0));
        }

        var dump = new StringBuilder();
        foreach (string table in tables)
        {
            // Bytes as text, so that their content can be searched.
            await using var rows = new NpgsqlCommand(
                $"SELECT encode(convert_to(t::text, 'UTF8'), 'escape') || coalesce(to_jsonb(t)::text, '') FROM {table} t", connection);
            await using var reader = await rows.ExecuteReaderAsync(Token);
            while (await reader.ReadAsync(Token))
                dump.AppendLine(reader.GetString(0));
        }

        await using var bodies = new NpgsqlCommand(
            "SELECT convert_from(body, 'UTF8') FROM http_resilience.dead_letters WHERE body IS NOT NULL", connection);
        await using var texts = await bodies.ExecuteReaderAsync(Token);
        while (await texts.ReadAsync(Token))
            dump.AppendLine(texts.GetString(0));
        return dump.ToString();
    }
}
