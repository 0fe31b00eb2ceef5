using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Writes all changes of this process on one thread, because SQLite allows one writer at a time and blocks it. The writes that wait share
/// one transaction and one disk flush; a single write is committed immediately.
/// </summary>
internal sealed partial class SqliteWriter : IAsyncDisposable
{
    private const int MaxConcurrency = 256;

    private readonly BlockingCollection<SqliteWrite> _waiting = [];
    private readonly SqliteDatabase _database;
    private readonly ILogger _log;
    private readonly Lazy<Task> _thread;
    private SqliteSession? _session;

    internal SqliteWriter(SqliteDatabase database, ILogger log)
    {
        _database = database;
        _log = log;
        _thread = new(() => Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    /// <summary>
    /// Writes a change, which is on the disk when the task completes. After a cancellation it may or may not have been written.
    /// </summary>
    internal Task<T> RunAsync<T>(Func<SqliteSession, T> change, CancellationToken cancellationToken) =>
        EnqueueAsync(change, needsTransaction: true, cancellationToken);

    /// <summary>Reads on the connection of the writer.</summary>
    internal Task<T> LookAsync<T>(Func<SqliteSession, T> look, CancellationToken cancellationToken) =>
        EnqueueAsync(look, needsTransaction: false, cancellationToken);

    private async Task<T> EnqueueAsync<T>(Func<SqliteSession, T> run, bool needsTransaction, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        T result = default!;
        var write = new SqliteWrite(session => result = run(session), needsTransaction, cancellationToken);
        try
        {
            _waiting.Add(write, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(SqliteStorage));
        }

        _ = _thread.Value;
        await write.Made.ConfigureAwait(false);
        return result;
    }

    private void Work()
    {
        List<SqliteWrite> together = [];
        foreach (var first in _waiting.GetConsumingEnumerable(CancellationToken.None))
        {
            together.Add(first);
            while (together.Count < MaxConcurrency && _waiting.TryTake(out var next))
                together.Add(next);
            together.RemoveAll(w => w.IsAbandoned);
            Make(together);
            together.Clear();
        }

        Close();
    }

    private void Make(List<SqliteWrite> writes)
    {
        var failed = Try(writes);
        if (failed is null)
            return;
        if (!failed.IsOfOne || writes.Count == 1)
        {
            writes.ForEach(w => w.Fail(failed.Exception));
            return;
        }

        // One write made the whole transaction fail: each is written by itself, so that only that one fails.
        foreach (var write in writes)
        {
            if (Try([write]) is { } alone)
                write.Fail(alone.Exception);
        }
    }

    private Failure? Try(List<SqliteWrite> writes)
    {
        bool hasBegun = false;
        try
        {
            var session = Session();
            if (writes.Exists(w => w.NeedsTransaction))
                session.Execute("BEGIN IMMEDIATE");
            hasBegun = true;
            writes.ForEach(w => w.Run(session));
            if (writes.Exists(w => w.NeedsTransaction))
                session.Execute("COMMIT");
            writes.ForEach(w => w.Complete());
            return null;
        }
        catch (Exception e)
        {
            // The state after a failed transaction depends on the error; a new connection has none of it.
            Close();
            return new(e is SqliteException ? _database.Describe(e) : e, hasBegun);
        }
    }

    private SqliteSession Session()
    {
        if (_session is { IsGone: true })
        {
            LogGone(_log, _database.Path);
            Close();
        }

        return _session ??= _database.Open();
    }

    private void Close()
    {
        _session?.Dispose();
        _session = null;
    }

    public async ValueTask DisposeAsync()
    {
        // The queue is not disposed, because later callers and a second disposal still use it.
        _waiting.CompleteAdding();
        await _thread.Value.ConfigureAwait(false);
    }

    [LoggerMessage(
        1, LogLevel.Error,
        "The SQLite database {Path} was deleted or replaced while in use. Its contents are lost; new data goes to the present file")]
    private static partial void LogGone(ILogger logger, string path);

    private sealed record Failure(Exception Exception, bool IsOfOne);
}

/// <summary>A change that waits for the <see cref="SqliteWriter"/>.</summary>
internal sealed class SqliteWrite(Action<SqliteSession> run, bool needsTransaction, CancellationToken cancelled) : PendingWrite(cancelled)
{
    internal bool NeedsTransaction => needsTransaction;

    internal void Run(SqliteSession session) => run(session);
}
