using System.Threading.Channels;
using Npgsql;

namespace HttpResilience;

/// <summary>
/// Writes the changes of this process in groups: the writes that wait are sent as one message and committed as one transaction with one
/// disk flush. A single write is committed immediately.
/// </summary>
internal sealed class PostgreSqlWriter : IAsyncDisposable
{
    private const int MaxConcurrency = 512;

    // With synchronous_commit off, a crash of the server loses the last commits. Every other setting is durable, and the administrator's
    // choice.
    private const string DurableSql =
        "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";

    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(1);

    private readonly Channel<PostgreSqlWrite> _waiting = Channel.CreateUnbounded<PostgreSqlWrite>(new() { SingleReader = true });
    private readonly PostgreSqlDatabase _database;
    private readonly TimeProvider _time;
    private readonly string _notifySql;
    private readonly Task _work;
    private long _answeredAt;

    internal PostgreSqlWriter(PostgreSqlDatabase database, TimeProvider time)
    {
        (_database, _time) = (database, time);
        _notifySql = PostgreSqlArrivals.NotifySql(database);
        using (AmbientContext.Suppress())
            _work = Task.Run(WorkAsync);
    }

    /// <summary>A batch whose commit is durable.</summary>
    internal static NpgsqlBatch Durable(NpgsqlConnection connection) => new(connection) { BatchCommands = { new(DurableSql) } };

    /// <summary>
    /// Writes a change, which is on the server's disk when the task completes. After a cancellation it may or may not have been written.
    /// </summary>
    /// <param name="timeout">Null for that of a letter.</param>
    internal async Task<WriteResult<T>> RunAsync<T>(
        Func<NpgsqlBatchCommand> change, Func<NpgsqlDataReader, Task<T>> read, bool notifies, CancellationToken cancellationToken,
        TimeSpan? timeout = null)
    {
        var write = new PostgreSqlStatement<T>(change, read, notifies, DueAfter(timeout ?? PendingWrite.LetterTimeout), cancellationToken);
        await MadeAsync(write, cancellationToken).ConfigureAwait(false);
        return new(write.Result, write.WasSentBefore);
    }

    /// <summary>Writes the changed state of a letter, in one statement with others; false when its version is another one.</summary>
    /// <param name="letter">Called when the letter is sent, and again for another try.</param>
    /// <inheritdoc cref="RunAsync"/>
    internal async Task<WriteResult<bool>> ChangeAsync(Func<DeadLetter> letter, bool notifies, CancellationToken cancellationToken)
    {
        var write = new PostgreSqlLetterChange(letter, notifies, DueAfter(PendingWrite.LetterTimeout), cancellationToken);
        await MadeAsync(write, cancellationToken).ConfigureAwait(false);
        return new(write.HasApplied, write.WasSentBefore);
    }

    private long DueAfter(TimeSpan timeout) => _time.GetTimestamp() + _time.ToTicks(timeout);

    private Task MadeAsync(PostgreSqlWrite write, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(!_waiting.Writer.TryWrite(write), typeof(PostgreSqlStorage));
        return write.Made;
    }

    /// <summary>Reads the result of a change that returns a row if it was made.</summary>
    internal static Task<bool> HasRowAsync(NpgsqlDataReader reader) => reader.ReadAsync(CancellationToken.None);

    private async Task WorkAsync()
    {
        List<PostgreSqlWrite> together = [];
        while (together.Count > 0 || await _waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (together.Count < MaxConcurrency && _waiting.Reader.TryRead(out var next))
                together.Add(next);
            together.RemoveAll(w => w.IsAbandoned);
            if (together.Count > 0)
                await MakeAsync(together).ConfigureAwait(false);
        }
    }

    /// <summary>Makes the writes, and leaves in the list those that have time for another try, together with later ones.</summary>
    private async Task MakeAsync(List<PostgreSqlWrite> writes)
    {
        if (await TryAsync(writes).ConfigureAwait(false) is not { } failure)
        {
            writes.Clear();
        }
        else if (failure is HttpResilienceStorageException { InnerException: var inner }
            && (inner is null || !PostgreSqlFailure.IsOfOneWrite(inner)))
        {
            bool isPassing = inner is not null && PostgreSqlFailure.IsPassing(inner);
            writes.RemoveAll(w =>
            {
                bool isOver = !isPassing || TimeFor([w]) == PendingWrite.MinTimeout;
                if (isOver)
                    w.Fail(failure);
                return isOver;
            });
        }
        else
        {
            // One write made the whole transaction fail: each is written by itself, so that only that one fails.
            foreach (var write in writes)
            {
                if ((writes.Count == 1 ? failure : await TryAsync([write]).ConfigureAwait(false)) is { } alone)
                    write.Fail(alone);
            }

            writes.Clear();
        }
    }

    private async Task<Exception?> TryAsync(List<PostgreSqlWrite> writes)
    {
        try
        {
            await _database.RunWithinAsync(
                (connection, over) => SendAsync(connection, writes, over), TimeFor(writes)).ConfigureAwait(false);
            writes.ForEach(w => w.Complete());
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    /// <summary>The time until the first of the writes is due, but at least <see cref="PendingWrite.MinTimeout"/>.</summary>
    private TimeSpan TimeFor(IEnumerable<PostgreSqlWrite> writes)
    {
        var left = _time.TimeUntil(writes.Min(w => w.Due));
        return left > PendingWrite.MinTimeout ? left : PendingWrite.MinTimeout;
    }

    private async Task<bool> SendAsync(NpgsqlConnection connection, List<PostgreSqlWrite> writes, CancellationToken cancellationToken)
    {
        // An idle connection may be dead. A failure before the writes are sent leaves no doubt that they were not made.
        if (_time.GetElapsedTime(_answeredAt) > IdleTime)
            await PingAsync(connection, cancellationToken).ConfigureAwait(false);
        try
        {
            await ExecuteAsync(connection, writes, cancellationToken).ConfigureAwait(false);
            _answeredAt = _time.GetTimestamp();
            return true;
        }
        catch (Exception e) when (PostgreSqlFailure.MayHaveCommitted(e))
        {
            writes.ForEach(w => w.MayHaveBeenMade = true);
            throw;
        }
    }

    private static async Task PingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var ping = new NpgsqlCommand("SELECT 1", connection);
        await ping.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, List<PostgreSqlWrite> writes, CancellationToken cancellationToken)
    {
        using var batch = Durable(connection);
        writes.ForEach(w => w.Sending());
        // Those of one letter keep their order.
        var changes = PostgreSqlLetterChanges.Of(writes);
        List<PostgreSqlStatement> others = [.. writes.OfType<PostgreSqlStatement>()];
        changes.ForEach(c => batch.BatchCommands.Add(c.Command(_database)));
        others.ForEach(o => batch.BatchCommands.Add(o.Command()));
        if (writes.Exists(w => w.Notifies))
            batch.BatchCommands.Add(new(_notifySql));
        var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        foreach (var change in changes)
            await change.ReadAsync(await NextAsync().ConfigureAwait(false)).ConfigureAwait(false);
        foreach (var other in others)
            await other.ReadAsync(await NextAsync().ConfigureAwait(false)).ConfigureAwait(false);

        // An error of the commit arrives with the last result.
        while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
        {
        }

        async Task<NpgsqlDataReader> NextAsync()
        {
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            return reader;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _work.ConfigureAwait(false);
    }
}

/// <summary>The result of a change.</summary>
/// <param name="Value">The answer of the database.</param>
/// <param name="WasSentBefore">
/// The change was sent before and its answer was lost: this answer may show the effect of the first try.
/// </param>
internal readonly record struct WriteResult<T>(T Value, bool WasSentBefore);
