using System.Threading.Channels;
using Npgsql;

namespace HttpResilience;

/// <summary>
/// Writes the changes of this process in groups: the writes that wait are sent as one message and committed as one transaction with one
/// disk flush. A single write is committed immediately.
/// </summary>
internal sealed class PostgreSqlWriter : IAsyncDisposable
{
    private const int MaxConcurrency = 256;

    // With synchronous_commit off, a crash of the server loses the last commits. Every other setting is durable, and the administrator's
    // choice.
    private const string DurableSql =
        "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";

    private readonly Channel<PostgreSqlWrite> _waiting = Channel.CreateUnbounded<PostgreSqlWrite>(new() { SingleReader = true });
    private readonly PostgreSqlDatabase _database;
    private readonly string _notifySql;
    private readonly Task _work;

    internal PostgreSqlWriter(PostgreSqlDatabase database)
    {
        _database = database;
        _notifySql = PostgreSqlArrivals.NotifySql(database);
        _work = Task.Run(WorkAsync);
    }

    /// <summary>A batch whose commit is durable.</summary>
    internal static NpgsqlBatch Durable(NpgsqlConnection connection) => new(connection) { BatchCommands = { new(DurableSql) } };

    /// <summary>
    /// Writes a change, which is on the server's disk when the task completes. After a cancellation it may or may not have been written.
    /// </summary>
    internal async Task<WriteResult<T>> RunAsync<T>(
        Func<NpgsqlBatchCommand> change, Func<NpgsqlDataReader, Task<T>> read, bool notifies, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        T result = default!;
        var write = new PostgreSqlWrite(
            change, async reader => result = await read(reader).ConfigureAwait(false), notifies, cancellationToken);
        ObjectDisposedException.ThrowIf(!_waiting.Writer.TryWrite(write), typeof(PostgreSqlStorage));
        await write.Made.ConfigureAwait(false);
        return new(result, write.WasSentBefore);
    }

    /// <summary>Reads the result of a change that returns a row if it was made.</summary>
    internal static Task<bool> HasRowAsync(NpgsqlDataReader reader) => reader.ReadAsync(CancellationToken.None);

    private async Task WorkAsync()
    {
        List<PostgreSqlWrite> together = [];
        while (await _waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (together.Count < MaxConcurrency && _waiting.Reader.TryRead(out var next))
            {
                if (!next.IsAbandoned)
                    together.Add(next);
            }

            await MakeAsync(together).ConfigureAwait(false);
            together.Clear();
        }
    }

    private async Task MakeAsync(List<PostgreSqlWrite> writes)
    {
        if (writes.Count == 0 || await TryAsync(writes).ConfigureAwait(false) is not { } failure)
            return;
        if (writes.Count == 1 || !IsOfOne(failure))
        {
            writes.ForEach(w => w.Fail(failure));
            return;
        }

        // One write made the whole transaction fail: each is written by itself, so that only that one fails.
        foreach (var write in writes)
        {
            if (await TryAsync([write]).ConfigureAwait(false) is { } alone)
                write.Fail(alone);
        }
    }

    private async Task<Exception?> TryAsync(List<PostgreSqlWrite> writes)
    {
        try
        {
            await _database.RunAsync(async (connection, _) =>
            {
                await SendAsync(connection, writes).ConfigureAwait(false);
                return true;
            }, CancellationToken.None).ConfigureAwait(false);
            writes.ForEach(w => w.Complete());
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private async Task SendAsync(NpgsqlConnection connection, List<PostgreSqlWrite> writes)
    {
        using var batch = Durable(connection);
        foreach (var write in writes)
            batch.BatchCommands.Add(write.Command());
        if (writes.Exists(w => w.Notifies))
            batch.BatchCommands.Add(new(_notifySql));
        var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        foreach (var write in writes)
        {
            await reader.NextResultAsync().ConfigureAwait(false);
            await write.ReadAsync(reader).ConfigureAwait(false);
        }

        // An error of the commit arrives with the last result.
        while (await reader.NextResultAsync().ConfigureAwait(false))
        {
        }
    }

    private static bool IsOfOne(Exception e) =>
        e is not HttpResilienceStorageException { InnerException: var inner }
        || inner is PostgresException { SqlState: not (['0', '8', ..] or ['5', '7', ..]) };

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

/// <summary>A change that waits for the <see cref="PostgreSqlWriter"/>.</summary>
internal sealed class PostgreSqlWrite(
    Func<NpgsqlBatchCommand> command, Func<NpgsqlDataReader, Task> read, bool notifies, CancellationToken cancelled)
    : PendingWrite(cancelled)
{
    private int _sent;

    internal bool Notifies => notifies;

    internal bool WasSentBefore => _sent > 1;

    internal NpgsqlBatchCommand Command()
    {
        _sent++;
        return command();
    }

    internal Task ReadAsync(NpgsqlDataReader reader) => read(reader);
}
