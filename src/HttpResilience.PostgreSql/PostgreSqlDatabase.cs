using System.Data;
using Npgsql;

namespace HttpResilience;

/// <summary>A PostgreSQL database: opens connections, retries passing failures, and describes the others.</summary>
internal sealed class PostgreSqlDatabase : IAsyncDisposable
{
    /// <summary>
    /// The delays before the retries of a passing failure: a connection that was cut, a backend that was terminated, a server that
    /// restarts, a standby that takes over. The last one is repeated.
    /// </summary>
    private static readonly TimeSpan[] Pauses = [.. new[] { 20, 50, 100, 200, 300, 500 }.Select(ms => TimeSpan.FromMilliseconds(ms))];

    /// <summary>After this time a failure is not retried, so that a caller waits at most this long and one timeout.</summary>
    private static readonly TimeSpan RetryTimeout = PendingWrite.LetterTimeout;

    private readonly PostgreSqlConnections _pool;
    private readonly PostgreSqlConnections _listening;
    private readonly PostgreSqlSchema _schema;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _preparing = new(1);
    private volatile bool _isReady;

    private PostgreSqlDatabase(NpgsqlConnectionStringBuilder connection, PostgreSqlSchema schema, TimeProvider time)
    {
        Name = $"the PostgreSQL database '{connection.Database ?? connection.Username}' at {connection.Host}:{connection.Port}";
        _pool = PostgreSqlConnections.Pooled(connection);
        _listening = PostgreSqlConnections.ToListen(connection);
        _schema = schema;
        _time = time;
        Clock = new(time);
    }

    internal PostgreSqlClock Clock { get; }

    internal string Name { get; }

    /// <inheritdoc cref="PostgreSqlSchema.Name"/>
    internal string SchemaName => _schema.Name;

    /// <inheritdoc cref="PostgreSqlSchema.Sql"/>
    internal string Sql(string sql) => _schema.Sql(sql);

    internal static PostgreSqlDatabase From(string connectionString, PostgreSqlSchema schema, TimeProvider time)
    {
        try
        {
            return new(PostgreSqlConnections.Settings(connectionString), schema, time);
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
                React(e);
                if (!PostgreSqlFailure.IsPassing(e) || _time.GetElapsedTime(began) > RetryTimeout)
                    throw Describe(e);
            }

            await Task.Delay(PauseAfter(tries), _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs an action that may be repeated when its answer was lost, and gives up after a time, with the reason.</summary>
    /// <param name="action">Receives a token that is cancelled when the time is over.</param>
    internal async Task<T> RunWithinAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> action, TimeSpan timeout)
    {
        using var over = new CancellationTokenSource(timeout, _time);
        Exception? failure = null;
        for (int tries = 0; ; tries++)
        {
            try
            {
                return await TryAsync((connection, _) => action(connection, over.Token), tries, over.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                throw Describe(failure ?? new TimeoutException($"It had {timeout.TotalSeconds:0.#} s."));
            }
            catch (Exception e) when (e is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException)
            {
                React(e);
                if (!PostgreSqlFailure.IsPassing(e) || over.IsCancellationRequested)
                    throw Describe(e);
                failure = e;
            }

            await Task.Delay(PauseAfter(tries), _time, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static TimeSpan PauseAfter(int tries) => Pauses[Math.Min(tries, Pauses.Length - 1)];

    private void React(Exception failure)
    {
        if (failure is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName })
            _isReady = false;
        else if (PostgreSqlFailure.IsOfConnection(failure))
            _pool.Clear();
    }

    private async Task<T> TryAsync<T>(Func<NpgsqlConnection, int, Task<T>> action, int tries, CancellationToken cancellationToken)
    {
        var connection = await _pool.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionScope = connection.ConfigureAwait(false);
        try
        {
            if (!_isReady)
                await PrepareAsync(connection, cancellationToken).ConfigureAwait(false);
            await Clock.MeasureAsync(connection, cancellationToken).ConfigureAwait(false);
            return await action(connection, tries).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            string denies = await PostgreSqlRights.MissingAsync(connection, SchemaName, cancellationToken).ConfigureAwait(false);
            throw Describe(denies, e);
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
        await _listening.OpenAsync(cancellationToken).ConfigureAwait(false);

    private HttpResilienceStorageException Describe(Exception exception) => Describe(PostgreSqlFailure.Describe(exception), exception);

    private HttpResilienceStorageException Describe(string what, Exception exception) =>
        new($"{char.ToUpperInvariant(Name[0])}{Name[1..]} {what}. ({exception.Message})", exception);

    private async Task PrepareAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isReady)
                return;
            ShouldStoreEveryText(connection);
            await _schema.PrepareAsync(connection, Name, cancellationToken).ConfigureAwait(false);
            _isReady = true;
        }
        finally
        {
            _preparing.Release();
        }
    }

    // Another encoding is rejected on first use: it would lose each letter with a character that it cannot store. SQL_ASCII stores the
    // bytes unchanged, which are UTF-8.
    private void ShouldStoreEveryText(NpgsqlConnection connection)
    {
        if (connection.PostgresParameters.TryGetValue("server_encoding", out string? encoding) && encoding is not ("UTF8" or "SQL_ASCII"))
        {
            throw new HttpResilienceStorageException(
                $"{char.ToUpperInvariant(Name[0])}{Name[1..]} has the encoding {encoding}, which has no room for the letters whose texts "
                + "need other characters: create one with ENCODING 'UTF8' (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0).");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _pool.DisposeAsync().ConfigureAwait(false);
        await _listening.DisposeAsync().ConfigureAwait(false);
        _preparing.Dispose();
    }
}
