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

    /// <summary>Reads on a thread of the pool, because SQLite blocks.</summary>
    internal async Task<T> RunAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await Task.Run(() =>
        {
            try
            {
                ObjectDisposedException.ThrowIf(_closed, typeof(SqliteStorage));
                return Read(read);
            }
            finally
            {
                _free.Release();
            }
        }, CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private T Read<T>(Func<SqliteSession, T> read)
    {
        if (_idle.TryTake(out var session) && session.IsGone)
        {
            session.Dispose();
            session = null;
        }

        session ??= database.Open();
        try
        {
            var result = read(session);
            _idle.Add(session);
            return result;
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
