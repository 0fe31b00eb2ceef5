using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace HttpResilience;

/// <summary>
/// Connections for reading, which neither wait for the writer nor block it: in WAL mode each read sees the last commit before it began.
/// </summary>
internal sealed class SqliteReaders(SqliteDatabase database) : IAsyncDisposable
{
    private const int MaxConnections = 4;

    private readonly ConcurrentBag<SqliteSession> _idle = [];
    private readonly SemaphoreSlim _free = new(MaxConnections);
    private bool _closed;

    /// <summary>
    /// Reads on a thread of the pool, because SQLite blocks. A read that is cancelled ends in SQLite, too: it would keep its connection.
    /// </summary>
    internal async Task<T> RunAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await Task.Run(() =>
        {
            try
            {
                ObjectDisposedException.ThrowIf(_closed, typeof(SqliteStorage));
                return Read(read, cancellationToken);
            }
            finally
            {
                _free.Release();
            }
        }, CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private T Read<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        if (_idle.TryTake(out var session) && session.IsGone)
        {
            session.Dispose();
            session = null;
        }

        session ??= database.Open();
        try
        {
            T result;
            // Its end waits for an interruption that is under way: none meets the next read of the connection.
            using (cancellationToken.UnsafeRegister(static s => ((SqliteSession)s!).Interrupt(), session))
                result = read(session);
            _idle.Add(session);
            return result;
        }
        catch (SqliteException e) when (cancellationToken.IsCancellationRequested)
        {
            session.Dispose();
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e)
        {
            session.Dispose();
            throw e is SqliteException ? database.Describe(e) : e;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, true))
            return;
        for (int i = 0; i < MaxConnections; i++)
            await _free.WaitAsync().ConfigureAwait(false);
        while (_idle.TryTake(out var session))
            session.Dispose();
        // Waiting and later callers get a turn, and with it an ObjectDisposedException.
        _free.Release(MaxConnections);
    }
}
