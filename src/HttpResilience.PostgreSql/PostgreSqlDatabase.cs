using System.Data;
using Npgsql;

namespace HttpResilience;

/// <summary>A PostgreSQL database: opens connections, retries passing failures, and describes the others.</summary>
internal sealed class PostgreSqlDatabase : IAsyncDisposable
{
    /// <summary>
    /// The delays before the retries of a passing failure: a connection that was cut, a backend that was terminated, a server that
    /// restarts.
    /// </summary>
    private static readonly TimeSpan[] Pauses = [.. new[] { 20, 100, 300, 600, 1000 }.Select(ms => TimeSpan.FromMilliseconds(ms))];

    /// <summary>After this time a failure is not retried, so that a caller waits at most this long and one timeout.</summary>
    private static readonly TimeSpan RetryTimeout = TimeSpan.FromSeconds(5);

    private const string IdleSessionTimeout = "57P05";

    private static readonly (string Key, object Value)[] Defaults =
        [("Timeout", 5), ("Command Timeout", 10), ("Max Auto Prepare", 20), ("Application Name", "HttpResilience")];

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _listening;
    private readonly PostgreSqlSchema _schema;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _preparing = new(1);
    private volatile bool _isReady;

    private PostgreSqlDatabase(NpgsqlConnectionStringBuilder connection, PostgreSqlSchema schema, TimeProvider time)
    {
        Name = $"the PostgreSQL database '{connection.Database ?? connection.Username}' at {connection.Host}:{connection.Port}";
        _source = Source(connection);
        // Not pooled; the keep-alive detects a server that vanished without closing the connection.
        connection.Pooling = false;
        connection.KeepAlive = connection.KeepAlive == 0 ? 15 : connection.KeepAlive;
        _listening = Source(connection);
        _schema = schema;
        _time = time;
    }

    internal string Name { get; }

    /// <inheritdoc cref="PostgreSqlSchema.Name"/>
    internal string SchemaName => _schema.Name;

    /// <inheritdoc cref="PostgreSqlSchema.Sql"/>
    internal string Sql(string sql) => _schema.Sql(sql);

    internal static PostgreSqlDatabase From(string connectionString, PostgreSqlSchema schema, TimeProvider time)
    {
        try
        {
            var given = new NpgsqlConnectionStringBuilder(connectionString);
            if (string.IsNullOrEmpty(given.Host))
                throw new ArgumentException("Host is missing.");
            foreach (var (key, value) in Defaults)
            {
                if (!given.ShouldSerialize(key))
                    given[key] = value;
            }

            return new(given, schema, time);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException)
        {
            throw new HttpResilienceStorageException(
                $"The connection string of the PostgreSQL database is not valid: {e.Message} "
                + "Give it as 'Host=…;Database=…;Username=…;Password=…'.", e);
        }
    }

    /// <summary>Runs an action that may be repeated when its answer was lost. The action receives the number of earlier tries.</summary>
    internal async Task<T> RunAsync<T>(Func<NpgsqlConnection, int, Task<T>> action, CancellationToken cancellationToken)
    {
        long began = _time.GetTimestamp();
        for (int tries = 0; ; tries++)
        {
            try
            {
                return await TryAsync(action, tries, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException)
            {
                if (e is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName })
                    _isReady = false;
                else if (e is not PostgresException || IsShutdown(e))
                    // The idle connections of the pool were cut too.
                    _source.Clear();
                if (tries == Pauses.Length || !IsPassing(e) || _time.GetElapsedTime(began) > RetryTimeout)
                    throw Describe(e);
            }

            await Task.Delay(Pauses[tries], _time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<T> TryAsync<T>(Func<NpgsqlConnection, int, Task<T>> action, int tries, CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionScope = connection.ConfigureAwait(false);
        try
        {
            if (!_isReady)
                await PrepareAsync(connection, cancellationToken).ConfigureAwait(false);
            return await action(connection, tries).ConfigureAwait(false);
        }
        catch (InvalidOperationException e) when (connection.FullState != ConnectionState.Open)
        {
            // Npgsql swallows a cut while it disposes of a reader or rolls back; only the next command fails, as one on a closed
            // connection.
            throw new IOException($"The connection was cut. {e.Message}", e);
        }
    }

    /// <summary>Opens a connection that is kept open to listen on.</summary>
    internal async Task<NpgsqlConnection> OpenToListenAsync(CancellationToken cancellationToken) =>
        await _listening.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);

    internal HttpResilienceStorageException Describe(Exception exception)
    {
        string what = exception switch
        {
            PostgresException { SqlState: PostgresErrorCodes.DiskFull } => "has no room on its disk",
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
                "does not accept the user or the password",
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => "does not exist: create it, or choose another one",
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } =>
                $"denies this user a right: grant CREATE on the database for the first use, or own the schema {SchemaName}",
            PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } => "can only be read: connect to the primary server",
            PostgresException e when !IsShutdown(e) => "reported an error",
            _ => "cannot be reached: check that the server runs, that this machine may connect to it, and that host and port are right",
        };
        return new($"{char.ToUpperInvariant(Name[0])}{Name[1..]} {what}. ({exception.Message})", exception);
    }

    private async Task PrepareAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isReady)
                return;
            await _schema.PrepareAsync(connection, Name, cancellationToken).ConfigureAwait(false);
            _isReady = true;
        }
        finally
        {
            _preparing.Release();
        }
    }

    // The slim builder uses no reflection, so that trimmed applications keep only the features named here.
    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder connection) =>
        new NpgsqlSlimDataSourceBuilder(connection.ConnectionString).EnableTransportSecurity().EnableIntegratedSecurity().EnableArrays()
            .Build();

    private static bool IsPassing(Exception e) => e switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName } => true,
        // An administrator created the schema at the same moment.
        PostgresException { SqlState: PostgresErrorCodes.DuplicateSchema } => true,
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "pg_namespace" } => true,
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => false,
        PostgresException p => p.IsTransient || IsShutdown(p),
        NpgsqlException n => n.IsTransient || n.InnerException is IOException or System.Net.Sockets.SocketException or TimeoutException,
        _ => true,
    };

    private static bool IsShutdown(Exception e) =>
        e is PostgresException
        {
            SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
                or PostgresErrorCodes.CannotConnectNow or IdleSessionTimeout,
        };

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync().ConfigureAwait(false);
        await _listening.DisposeAsync().ConfigureAwait(false);
        _preparing.Dispose();
    }
}
