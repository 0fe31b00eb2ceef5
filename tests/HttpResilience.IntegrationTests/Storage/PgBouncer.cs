using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// A real PgBouncer in front of a server: each transaction gets one of a few server connections, whose session others have used before. It
/// ends with its test, or with this process.
/// </summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private const string Script = """
        set -eu
        trap '' INT HUP
        port=$1 server=$2 size=$3
        dir=$(mktemp -d "${TMPDIR:-/tmp}/httpresilience-pgbouncer-XXXXXX")
        cat >"$dir/pgbouncer.ini" <<END
        [databases]
        * = host=127.0.0.1 port=$server user=postgres
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = $port
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        default_pool_size = $size
        max_client_conn = 1000
        logfile = $dir/log
        END
        pgbouncer -q "$dir/pgbouncer.ini" >"$dir/out" 2>&1 &
        echo "$dir"
        cat >/dev/null || true
        kill -INT $! 2>/dev/null || true
        wait $! || true
        rm -rf "$dir"
        """;

    private readonly Process _process;

    private PgBouncer(Process process, int port) => (_process, Port) = (process, port);

    internal int Port { get; }

    /// <param name="connections">The number of connections to the server.</param>
    internal static async Task<PgBouncer> StartAsync(PostgreSqlServer server, int connections)
    {
        PostgreSqlServer.ShouldBeInstalled(
            File.Exists("/usr/sbin/pgbouncer") || File.Exists("/usr/bin/pgbouncer"),
            "PgBouncer is not installed: apt-get install pgbouncer.");
        int port = Ports.Closed();
        string[] arguments = [.. new[] { port, server.Port, connections }.Select(n => n.ToString(CultureInfo.InvariantCulture))];
        var info = PostgreSqlServer.AsPostgres(["sh", "-c", Script, "sh", .. arguments]);
        info.Environment["PATH"] += ":/usr/sbin";
        var pooler = new PgBouncer(Process.Start(info)!, port);
        try
        {
            string? directory = await pooler._process.StandardOutput.ReadLineAsync();
            await Eventually.BeAsync(() => pooler.AcceptsAsync().GetAwaiter().GetResult());
            directory.ShouldNotBeNull();
            return pooler;
        }
        catch
        {
            await pooler.DisposeAsync();
            throw;
        }
    }

    /// <summary>The connection string of a database through the pooler.</summary>
    internal string To(TestDatabase database) =>
        new NpgsqlConnectionStringBuilder(database.ConnectionString) { Port = Port }.ConnectionString;

    private async Task<bool> AcceptsAsync()
    {
        try
        {
            await using var connection = new NpgsqlConnection(
                $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres;Pooling=false");
            await connection.OpenAsync();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
