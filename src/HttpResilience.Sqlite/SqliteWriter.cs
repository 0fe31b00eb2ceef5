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
    private const int MaxConcurrency = 512, IoError = 10;

    // SQLite waits for a lock in real time.
    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly BlockingCollection<SqliteWrite> _waiting = [];
    private readonly SqliteDatabase _database;
    private readonly ILogger _log;
    private readonly Lazy<Task> _thread;
    private SqliteSession? _session;

    internal SqliteWriter(SqliteDatabase database, ILogger log)
    {
        _database = database;
        _log = log;
        _thread = new(Start);
    }

    /// <summary>
    /// Writes a change, which is on the disk when the task completes. After a cancellation it may or may not have been written.
    /// </summary>
    /// <param name="timeout">Null for that of a letter.</param>
    internal Task<T> RunAsync<T>(Func<SqliteSession, T> change, CancellationToken cancellationToken, TimeSpan? timeout = null) =>
        EnqueueAsync(change, needsTransaction: true, timeout ?? PendingWrite.LetterTimeout, cancellationToken);

    /// <summary>Reads on the connection of the writer.</summary>
    internal Task<T> LookAsync<T>(Func<SqliteSession, T> look, CancellationToken cancellationToken) =>
        EnqueueAsync(look, needsTransaction: false, PendingWrite.LetterTimeout, cancellationToken);

    /// <inheritdoc cref="SqliteDatabase.ShouldKeepMore"/>
    internal void ShouldKeepMore() => _database.ShouldKeepMore();

    private async Task<T> EnqueueAsync<T>(
        Func<SqliteSession, T> run, bool needsTransaction, TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        T result = default!;
        long due = Clock.GetTimestamp() + Clock.ToTicks(timeout);
        var write = new SqliteWrite(session => result = run(session), needsTransaction, due, cancellationToken);
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

    private Task Start()
    {
        Task work;
        using (AmbientContext.Suppress())
            work = Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return work;
    }

    private void Work()
    {
        List<SqliteWrite> together = [];
        SqliteWrite? first = null;
        while (together.Count > 0 || _waiting.TryTake(out first, Timeout.Infinite))
        {
            if (first is not null)
                together.Add(first);
            first = null;
            while (together.Count < MaxConcurrency && _waiting.TryTake(out var next))
                together.Add(next);
            together.RemoveAll(w => w.IsAbandoned);
            if (together.Count > 0)
                Make(together);
        }

        Close();
    }

    /// <summary>Makes the writes, and leaves in the list those that have time for another try, together with later ones.</summary>
    private void Make(List<SqliteWrite> writes)
    {
        var failed = Try(writes);
        if (failed is { IsOfOne: true } && writes.Count > 1)
        {
            // One write made the whole transaction fail: each is written by itself, so that only that one fails.
            foreach (var write in writes)
            {
                if (Try([write]) is { } alone)
                    write.Fail(alone.Exception);
            }

            writes.Clear();
            return;
        }

        writes.RemoveAll(w =>
        {
            bool isOver = failed is not { IsLocked: true } || TimeFor([w]) <= PendingWrite.MinTimeout;
            if (failed is not null && isOver)
                w.Fail(failed.Exception);
            return isOver;
        });
    }

    private Failure? Try(List<SqliteWrite> writes)
    {
        bool hasBegun = false, isCommitting = false;
        var timeout = TimeFor(writes);
        try
        {
            var session = Session(timeout);
            if (writes.Exists(w => w.NeedsTransaction))
                session.Execute("BEGIN IMMEDIATE");
            hasBegun = true;
            writes.ForEach(w => w.Run(session));
            isCommitting = true;
            if (writes.Exists(w => w.NeedsTransaction))
                session.Execute("COMMIT");
            writes.ForEach(w => w.Complete());
            return null;
        }
        catch (Exception e)
        {
            // The state after a failed transaction depends on the error; a new connection has none of it.
            Close();
            // A flush that failed: the transaction may be in the file when it is opened again.
            if (isCommitting && e is SqliteException { SqliteErrorCode: IoError })
                writes.ForEach(w => w.MayHaveBeenMade = true);
            return new(e is SqliteException ? _database.Describe(e, timeout) : e, hasBegun);
        }
    }

    /// <summary>
    /// The time until the first of the writes is due, in steps of <see cref="PendingWrite.MinTimeout"/>, so that the timeout of the
    /// connection is rarely set; at least one step.
    /// </summary>
    private TimeSpan TimeFor(IEnumerable<SqliteWrite> writes)
    {
        var left = Clock.TimeUntil(writes.Min(w => w.Due));
        left = PendingWrite.MinTimeout * Math.Max(1, Math.Ceiling(left / PendingWrite.MinTimeout));
        return left < _database.Timeout ? left : _database.Timeout;
    }

    private SqliteSession Session(TimeSpan timeout)
    {
        if (_session is { IsGone: true })
        {
            LogGone(_log, _database.Path);
            Close();
        }

        _session ??= _database.Open(timeout);
        _session.Wait(timeout);
        return _session;
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
        1, LogLevel.Critical,
        "The SQLite database {Path} was deleted or replaced while in use. Its contents are lost; new data goes to the present file")]
    private static partial void LogGone(ILogger logger, string path);

    private sealed record Failure(Exception Exception, bool IsOfOne)
    {
        internal bool IsLocked => Exception.InnerException is SqliteException { SqliteErrorCode: 5 or 6 };
    }
}

/// <summary>A change that waits for the <see cref="SqliteWriter"/>.</summary>
internal sealed class SqliteWrite(Action<SqliteSession> run, bool needsTransaction, long due, CancellationToken cancelled)
    : PendingWrite(due, cancelled)
{
    internal bool NeedsTransaction => needsTransaction;

    internal void Run(SqliteSession session) => run(session);
}
