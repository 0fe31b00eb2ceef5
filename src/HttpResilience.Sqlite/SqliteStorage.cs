using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>All that is kept in one SQLite file.</summary>
internal sealed class SqliteStorage : IHttpResilienceStorage
{
    private readonly SqliteWriter _writer;
    private readonly SqliteReaders _readers;

    internal SqliteStorage(SqliteDatabase database, TimeProvider time, ILoggerFactory logs)
    {
        var log = logs.CreateLogger("HttpResilience.Storage");
        _writer = new(database, log);
        _readers = new(database);
        DeadLetters = new SqliteDeadLetterStore(_writer, _readers, time, log);
        IdempotencyKeys = new SqliteIdempotencyStore(_writer);
        Fallbacks = new SqliteFallbackStore(_writer, _readers);
        Checkpoints = new SqliteCheckpointStore(_writer, _readers);
        ErrorBudgets = new SqliteErrorBudgetStore(_writer, _readers);
    }

    public IDeadLetterStore DeadLetters { get; }

    public IIdempotencyStore IdempotencyKeys { get; }

    public IFallbackStore Fallbacks { get; }

    public ICheckpointStore Checkpoints { get; }

    public IErrorBudgetStore ErrorBudgets { get; }

    /// <summary>What has been asked for is still done; what is asked for later is not.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync().ConfigureAwait(false);
        await _readers.DisposeAsync().ConfigureAwait(false);
    }
}
