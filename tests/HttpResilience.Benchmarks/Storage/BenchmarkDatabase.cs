using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace HttpResilience.Benchmarks;

/// <summary>A store on a real disk with its default settings.</summary>
internal sealed class BenchmarkDatabase : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly Func<string, Task> _execute;
    private readonly string _prefix;
    private readonly Func<ValueTask> _delete;

    private BenchmarkDatabase(
        string name, Action<HttpResilienceStorageBuilder> use, Func<string, Task> execute, string prefix, Func<ValueTask> delete)
    {
        (Name, Use) = (name, use);
        _services = new ServiceCollection().AddHttpResilienceStorage(use).BuildServiceProvider();
        _execute = execute;
        _prefix = prefix;
        _delete = delete;
        Letters = _services.GetRequiredService<IDeadLetterStore>();
    }

    internal string Name { get; }

    /// <summary>Configures the storage of a host that uses the same database.</summary>
    internal Action<HttpResilienceStorageBuilder> Use { get; }

    internal IDeadLetterStore Letters { get; }

    internal static Task<BenchmarkDatabase> SqliteAsync()
    {
        var directory = Directory.CreateTempSubdirectory("httpresilience-");
        string connectionString = $"Data Source={Path.Combine(directory.FullName, "letters.db")};Default Timeout=60";
        return Task.FromResult(new BenchmarkDatabase("SQLite", s => s.UseSqlite(connectionString), async sql =>
        {
            await using var connection = new SqliteConnection($"{connectionString};Pooling=false");
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }, "", () =>
        {
            directory.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }));
    }

    /// <summary>
    /// Starts a PostgreSQL server that ends with this process. Needs initdb and pg_ctl; as root they run as user postgres.
    /// </summary>
    internal static async Task<BenchmarkDatabase> PostgreSqlAsync()
    {
        const string Script = """
            set -eu
            trap '' INT TERM HUP
            dir=$(mktemp -d "${TMPDIR:-/tmp}/httpresilience-postgres-XXXXXX")
            PATH=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1):$PATH
            initdb -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
            pg_ctl -D "$dir/data" -l "$dir/log" -o "-p $1 -c listen_addresses=127.0.0.1 -k $dir" -w start >/dev/null
            echo ready
            cat >/dev/null || true
            pg_ctl -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
            rm -rf "$dir"
            """;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string port = $"{((IPEndPoint)listener.LocalEndpoint).Port}";
        listener.Stop();
        string[] command = Environment.UserName == "root"
            ? ["runuser", "-u", "postgres", "--", "sh", "-c", Script, "sh", port]
            : ["sh", "-c", Script, "sh", port];
        if (File.Exists("/usr/bin/setsid"))
            command = ["/usr/bin/setsid", .. command];
        var server = Process.Start(new ProcessStartInfo(command[0],
            command[1..])
        { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        if (await server.StandardOutput.ReadLineAsync() != "ready")
            throw new InvalidOperationException("The PostgreSQL server did not start: is it installed (apt-get install postgresql)?");

        string connectionString = $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Command Timeout=600";
        return new("PostgreSQL", s => s.UsePostgreSql(connectionString), async sql =>
        {
            await using var connection = new NpgsqlConnection($"{connectionString};Pooling=false");
            await connection.OpenAsync();
            await using var execute = new NpgsqlCommand(sql, connection);
            await execute.ExecuteNonQueryAsync();
        }, "http_resilience.", async () =>
        {
            server.StandardInput.Close();
            await server.WaitForExitAsync();
            server.Dispose();
        });
    }

    internal async Task ClearAsync()
    {
        // The tables are created on first use.
        await Letters.CountAsync(CancellationToken.None);
        await _execute($"DELETE FROM {_prefix}dead_letters");
    }

    /// <summary>Doubles the letters so many times, by SQL: each copy has an id of its own.</summary>
    internal Task DoubleAsync(int times)
    {
        string table = $"{_prefix}dead_letters", id = _prefix.Length > 0 ? "gen_random_uuid()"
            : "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-7' || substr(hex(randomblob(2)), 2) || '-a' "
                + "|| substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))";
        string doubling = $"DELETE FROM copies; INSERT INTO copies SELECT * FROM {table}; UPDATE copies SET id = {id}; "
            + $"INSERT INTO {table} SELECT * FROM copies;";
        return _execute($"CREATE TEMP TABLE copies AS SELECT * FROM {table}; BEGIN; "
            + $"{string.Concat(Enumerable.Repeat(doubling, times))} COMMIT; DROP TABLE copies");
    }

    /// <summary>Counts open letters by cause, by SQL.</summary>
    internal Task CountByCauseAsync() => _execute(
        $"SELECT fingerprint, count(*) FROM {_prefix}dead_letters WHERE status IN ('Pending', 'InProgress', 'RequiresReview') "
        + "GROUP BY fingerprint");

    /// <summary>Runs the maintenance that the database would do in the background.</summary>
    internal Task SettleAsync() =>
        _execute(_prefix.Length == 0 ? "PRAGMA wal_checkpoint(TRUNCATE)" : $"VACUUM ANALYZE {_prefix}dead_letters");

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _delete();
    }
}
