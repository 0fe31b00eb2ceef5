using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// A real PostgreSQL server with its own data directory; it ends with its tests, or with this process. One server is shared by all tests,
/// each with its own database; a class that stops the server has a separate one as its class fixture.
/// </summary>
public sealed class PostgreSqlServer : IAsyncLifetime
{
    // Ends when its input closes, that is, when this process has ended for any reason. It ignores signals to the process group, which
    // would end it before it has cleaned up.
    private const string Script = """
        set -eu
        trap '' INT TERM HUP
        bin=$1 port=$2 primary=$3
        dir=$(mktemp -d "${TMPDIR:-/tmp}/httpresilience-postgres-XXXXXX")
        if [ "$primary" = 0 ]; then
          set -- "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync
        else
          set -- "$bin/pg_basebackup" -D "$dir/data" -h 127.0.0.1 -p "$primary" -U postgres -R -c fast --no-sync
        fi
        "$@" >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; rm -rf "$dir"; exit 1; }
        cat >>"$dir/data/postgresql.conf" <<END
        port = $port
        listen_addresses = '127.0.0.1'
        unix_socket_directories = '$dir'
        max_connections = 400
        END
        "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w start >/dev/null || { cat "$dir/log" >&2; rm -rf "$dir"; exit 1; }
        echo "$dir"
        cat >/dev/null || true
        "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
        rm -rf "$dir"
        """;

    private readonly int _port = Ports.Closed();
    private Process? _process;
    private string? _bin;
    private string _directory = "";
    private readonly PostgreSqlServer? _primary;
    private int _databases;

    public PostgreSqlServer()
    {
    }

    private PostgreSqlServer(PostgreSqlServer primary) => _primary = primary;

    internal int Port => _port;

    /// <summary>
    /// Starts a streaming standby. From then on the primary confirms a commit when the standby has it on its disk too, so that a failover
    /// loses none.
    /// </summary>
    internal static async Task<PostgreSqlServer> StandbyOfAsync(PostgreSqlServer primary)
    {
        primary.ShouldBeInstalled();
        var standby = new PostgreSqlServer(primary);
        await standby.InitializeAsync();
        await primary.ExecuteAsync("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        await primary.ExecuteAsync("postgres", "SELECT pg_reload_conf()");
        await Eventually.BeAsync(() => primary.ScalarAsync<long>(
            "postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").GetAwaiter().GetResult() == 1);
        return standby;
    }

    public async ValueTask InitializeAsync()
    {
        _bin = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal)
                .Select(d => Path.Combine(d, "bin")).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")))
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
                .FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")));
        if (_bin is null)
            return;

        _process = Process.Start(AsPostgres("sh", "-c", Script, "sh", _bin, Text(_port), Text(_primary?._port ?? 0)))!;
        _directory = await _process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"The PostgreSQL server did not start: {await _process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>Creates an empty database.</summary>
    /// <param name="options">Those of CREATE DATABASE.</param>
    internal async ValueTask<TestDatabase> CreateDatabaseAsync(string options = "")
    {
        ShouldBeInstalled();
        string name = $"test_{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync("postgres", $"CREATE DATABASE {name} {options}");
        return new PostgreSqlTestDatabase(this, name);
    }

    private void ShouldBeInstalled() => ShouldBeInstalled(
        _bin is not null, "PostgreSQL is not installed: apt-get install postgresql (or put initdb and pg_ctl on the PATH).");

    /// <summary>Skips the test when what it needs is missing; with CI=true it fails.</summary>
    internal static void ShouldBeInstalled(bool isThere, string howTo)
    {
        Assert.SkipUnless(isThere || Environment.GetEnvironmentVariable("CI") == "true", howTo);
        isThere.ShouldBeTrue(howTo);
    }

    internal string ConnectionString(string database) => $"Host=127.0.0.1;Port={_port};Username=postgres;Database={database}";

    /// <summary>Runs SQL directly, not through the store.</summary>
    internal async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false;Command Timeout=300");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    internal async Task<T> ScalarAsync<T>(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false;Command Timeout=300");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Stops the server like a power failure: the next start recovers from the log.</summary>
    internal Task StopAsync() => ControlAsync("-m", "immediate", "-w", "stop");

    /// <summary>Restarts the server at once.</summary>
    /// <param name="mode">The mode of pg_ctl: <c>fast</c> cuts all connections and shuts down cleanly, <c>immediate</c> is a crash.</param>
    internal Task RestartAsync(string mode) => ControlAsync("-m", mode, "-l", Path.Combine(_directory, "log"), "-w", "restart");

    internal Task StartAsync() => ControlAsync("-l", Path.Combine(_directory, "log"), "-w", "start");

    /// <summary>Makes a standby the primary.</summary>
    internal Task PromoteAsync() => ControlAsync("-w", "promote");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task ControlAsync(params string[] arguments)
    {
        using var process = Process.Start(
            AsPostgres([Path.Combine(_bin!, "pg_ctl"), "-D", Path.Combine(_directory, "data"), .. arguments]))!;
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, string.Join(' ', arguments));
    }

    internal static ProcessStartInfo AsPostgres(params string[] command)
    {
        // PostgreSQL does not run as root.
        string[] all = Environment.UserName == "root" ? ["runuser", "-u", "postgres", "--", .. command] : command;
        if (File.Exists("/usr/bin/setsid"))
            all = ["/usr/bin/setsid", .. all];
        return new(all[0], all[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
