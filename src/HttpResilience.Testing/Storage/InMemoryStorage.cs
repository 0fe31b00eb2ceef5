namespace HttpResilience.Testing;

/// <summary>
/// A store in memory, for tests: dead letters, idempotency keys, cached responses, checkpoints and the counts of error budgets, with
/// the behaviour of the SQLite and PostgreSQL stores. All data is lost when the process ends; production needs SQLite or PostgreSQL.
/// Register it with <c>storage.UseInMemory()</c>.
/// </summary>
/// <remarks>
/// All members are thread-safe. The stores of this instance use the rows of every application, the stores of a container only those
/// of its application. Several containers that use the same instance behave like several processes on one database: disposing a container
/// closes its connection and keeps the data, so that a test can stop a host and start it again.
/// </remarks>
/// <example><code>
/// var storage = new InMemoryStorage();
/// services.AddHttpResilienceStorage(s => s.UseInMemory(storage));
/// // ... make a call that fails ...
/// var letters = await storage.DeadLetters.ListAsync(new DeadLetterQuery(), CancellationToken.None);
/// </code></example>
public sealed class InMemoryStorage : IHttpResilienceStorage, IDisposable
{
    private readonly InMemoryConnection _connection;

    /// <summary>Creates an empty store.</summary>
    /// <param name="time">
    /// The clock by which <see cref="IDeadLetterStore.WaitForLettersAsync"/> of this instance measures its timeout. A
    /// container uses its own. Default: the system clock.
    /// </param>
    public InMemoryStorage(TimeProvider? time = null)
        : this(new InMemoryDatabase(), application: null, time ?? TimeProvider.System)
    {
    }

    private InMemoryStorage(InMemoryDatabase database, StoredApplication? application, TimeProvider time)
    {
        _connection = new(database, application);
        DeadLetters = new InMemoryDeadLetterStore(_connection, time);
        IdempotencyKeys = new InMemoryIdempotencyStore(_connection);
        Fallbacks = new InMemoryFallbackStore(_connection);
        Checkpoints = new InMemoryCheckpointStore(_connection);
        ErrorBudgets = new InMemoryErrorBudgetStore(_connection);
        Instances = new InMemoryInstanceStore(_connection);
        Incidents = new InMemoryIncidentStore(_connection);
        Jobs = new InMemoryJobStore(_connection);
        Activity = new InMemoryActivityStore(_connection);
        CircuitHolds = new InMemoryCircuitHoldStore(_connection);
    }

    /// <summary>
    /// Wraps each operation of every container that uses this data, to simulate a store that is slow, full or unreachable, and to observe
    /// what is stored. The function gets the operation and a delegate that runs it; an exception that it throws reaches the caller of the
    /// store. Null, the default, runs each operation directly.
    /// </summary>
    /// <example><code>
    /// storage.Intercept = (operation, run) => operation.Method == nameof(IDeadLetterStore.AddAsync)
    ///     ? throw new HttpResilienceStorageException("disk full")
    ///     : run();
    /// </code></example>
    public Func<InMemoryOperation, Func<Task>, Task>? Intercept
    {
        get => _connection.Database.Intercept;
        set => _connection.Database.Intercept = value;
    }

    /// <summary>Whether it keeps settled letters by default, as a store that an older version created.</summary>
    internal bool KeepsByDefault
    {
        get => _connection.Database.KeepsByDefault;
        set => _connection.Database.KeepsByDefault = value;
    }

    /// <inheritdoc/>
    public IDeadLetterStore DeadLetters { get; }

    /// <inheritdoc/>
    public IIdempotencyStore IdempotencyKeys { get; }

    /// <inheritdoc/>
    public IFallbackStore Fallbacks { get; }

    /// <inheritdoc/>
    public ICheckpointStore Checkpoints { get; }

    /// <inheritdoc/>
    public IErrorBudgetStore ErrorBudgets { get; }

    /// <inheritdoc/>
    public IInstanceStore Instances { get; }

    /// <inheritdoc/>
    public IIncidentStore Incidents { get; }

    /// <inheritdoc/>
    public ILetterJobStore Jobs { get; }

    /// <inheritdoc/>
    public IOperatorActivityStore Activity { get; }

    /// <inheritdoc/>
    public ICircuitHoldStore CircuitHolds { get; }

    internal InMemoryDatabase Database => _connection.Database;

    /// <summary>
    /// Closes this instance: its stores throw <see cref="ObjectDisposedException"/> afterwards. Other
    /// users of the same data are not affected.
    /// </summary>
    public void Dispose() => _connection.Close();

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Opens the same data once more, as another process does.</summary>
    internal InMemoryStorage Connect(StoredApplication application, TimeProvider time) => new(Database, application, time);
}
