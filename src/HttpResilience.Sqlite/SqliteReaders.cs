using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace HttpResilience;

/// <summary>Connections to read with, which neither wait for the writer nor hold it up: in WAL mode each sees what was durable when it began.</summary>
internal sealed class SqliteReaders(SqliteDatabase database) : IAsyncDisposable
{
    private const int Most = 4;

    private readonly ConcurrentBag<SqliteSession> _idle = [];
    private readonly SemaphoreSlim _free = new(Most);
    private bool _closed;

    /// <summary>Reads, on a thread of the pool: SQLite blocks.</summary>
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
        for (int i = 0; i < Most; i++)
            await _free.WaitAsync().ConfigureAwait(false);
        while (_idle.TryTake(out var session))
            session.Dispose();
        // Who waits for a turn, or comes later, gets it, and is told.
        _free.Release(Most);
    }
}
