using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>The stores of one SQLite file.</summary>
internal sealed class SqliteStorage : IHttpResilienceStorage
{
    private readonly SqliteWriter _writer;
    private readonly SqliteReaders _readers;

    internal SqliteStorage(SqliteDatabase database, StoredApplication application, TimeProvider time, ILoggerFactory logs)
    {
        var log = logs.CreateLogger("HttpResilience.Storage");
        _writer = new(database, log);
        _readers = new(database);
        DeadLetters = new SqliteDeadLetterStore(_writer, _readers, application, time, log);
        var rows = new StoredRows(log);
        IdempotencyKeys = new SqliteIdempotencyStore(_writer, application);
        Fallbacks = new SqliteFallbackStore(_writer, _readers, application, rows);
        Checkpoints = new SqliteCheckpointStore(_writer, _readers, application, rows);
        ErrorBudgets = new SqliteErrorBudgetStore(_writer, _readers, application, rows);
        Instances = new SqliteInstanceStore(_writer, _readers, rows);
        Incidents = new SqliteIncidentStore(_writer, _readers, application, rows);
        Jobs = new SqliteJobStore(_writer, _readers, application, rows);
        Activity = new SqliteActivityStore(_writer, _readers, application, rows);
        CircuitHolds = new SqliteCircuitHoldStore(_writer, _readers, application, rows);
    }

    public IDeadLetterStore DeadLetters { get; }

    public IIdempotencyStore IdempotencyKeys { get; }

    public IFallbackStore Fallbacks { get; }

    public ICheckpointStore Checkpoints { get; }

    public IErrorBudgetStore ErrorBudgets { get; }

    public IInstanceStore Instances { get; }

    public IIncidentStore Incidents { get; }

    public ILetterJobStore Jobs { get; }

    public IOperatorActivityStore Activity { get; }

    public ICircuitHoldStore CircuitHolds { get; }

    /// <summary>Completes the operations that have begun and rejects later ones.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync().ConfigureAwait(false);
        await _readers.DisposeAsync().ConfigureAwait(false);
    }
}
