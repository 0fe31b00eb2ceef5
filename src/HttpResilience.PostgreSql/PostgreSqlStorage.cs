using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>The stores of one PostgreSQL database.</summary>
internal sealed class PostgreSqlStorage : IHttpResilienceStorage
{
    private readonly PostgreSqlDatabase _database;
    private readonly PostgreSqlWriter _writer;
    private readonly PostgreSqlArrivals _arrivals;

    internal PostgreSqlStorage(PostgreSqlDatabase database, StoredApplication application, TimeProvider time, ILoggerFactory logs)
    {
        _database = database;
        _writer = new(database, time);
        var log = logs.CreateLogger("HttpResilience.Storage");
        _arrivals = new(database, time, log);
        DeadLetters = new PostgreSqlDeadLetterStore(database, _writer, _arrivals, application, time, log);
        var rows = new StoredRows(log);
        IdempotencyKeys = new PostgreSqlIdempotencyStore(database, _writer, application);
        Fallbacks = new PostgreSqlFallbackStore(database, application, rows);
        Checkpoints = new PostgreSqlCheckpointStore(database, application, rows);
        ErrorBudgets = new PostgreSqlErrorBudgetStore(database, application, rows);
        Instances = new PostgreSqlInstanceStore(database, rows);
        Incidents = new PostgreSqlIncidentStore(database, application, rows);
        Jobs = new PostgreSqlJobStore(database, application, rows);
        Activity = new PostgreSqlActivityStore(database, application, rows);
        CircuitHolds = new PostgreSqlCircuitHoldStore(database, application, rows);
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
        await _arrivals.DisposeAsync().ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        await _database.DisposeAsync().ConfigureAwait(false);
    }
}
