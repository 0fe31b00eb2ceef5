using System.Collections.Concurrent;

namespace HttpResilience.Tests.Storage;

/// <summary>An in-memory store that records its operations and fails or hangs on demand.</summary>
internal sealed class TestStorage
{
    private readonly ConcurrentQueue<InMemoryOperation> _operations = [];
    private readonly ConcurrentDictionary<string, Func<Task>> _before = [];

    public TestStorage() => Storage.Intercept = InterceptAsync;

    // The clock does not advance, so a wait for letters ends only when one is added.
    internal InMemoryStorage Storage { get; } = new(new ManualTimeProvider());

    internal IDeadLetterStore DeadLetters => Storage.DeadLetters;

    internal IInstanceStore Instances => Storage.Instances;

    internal IIdempotencyStore IdempotencyKeys => Storage.IdempotencyKeys;

    internal IFallbackStore Fallbacks => Storage.Fallbacks;

    internal ICheckpointStore Checkpoints => Storage.Checkpoints;

    internal IErrorBudgetStore ErrorBudgets => Storage.ErrorBudgets;

    /// <summary>Thrown by every operation, or by <see cref="FailsOn"/> alone.</summary>
    internal Exception? Fails { get; set; }

    internal string? FailsOn { get; set; }

    /// <summary>Thrown by every operation on holds.</summary>
    internal Exception? FailsHolds { get; set; }

    /// <summary>A failing operation is executed first.</summary>
    internal bool LosesAnswers { get; set; }

    /// <summary>No operation completes, even when cancelled.</summary>
    internal bool Hangs { get; set; }

    internal IReadOnlyList<DeadLetter> Letters => Read(d => d.Letters.Values);

    internal DeadLetter Letter => Letters.ShouldHaveSingleItem();

    internal IReadOnlyList<InMemoryKey> Keys => Read(d => d.Keys.Values);

    internal InMemoryKey Key => Keys.ShouldHaveSingleItem();

    internal IReadOnlyList<FallbackResponse> Responses => Read(d => d.Responses.Values);

    internal StoredCheckpoint Checkpoint => Read(d => d.Batches.Values).ShouldHaveSingleItem().Checkpoint;

    internal IReadOnlyList<ErrorBudgetCount> Counts => Read(
        d => d.Counts.Select(c => new ErrorBudgetCount(c.Key.ClientName, c.Key.Version, c.Key.Period, c.Key.Class, c.Value))
            .OrderBy(c => c.Period));

    internal IReadOnlyList<DeadLetterClaim> Claims => Arguments<DeadLetterClaim>(nameof(IDeadLetterStore.ClaimAsync));

    internal IReadOnlyList<RememberedRequest> Begun => Arguments<RememberedRequest>(nameof(IIdempotencyStore.BeginAsync));

    internal IReadOnlyList<ErrorBudgetUpdate> Updates => Arguments<ErrorBudgetUpdate>(nameof(IErrorBudgetStore.AddAsync));

    internal IReadOnlyList<string> Loads => Arguments<string>(nameof(IErrorBudgetStore.LoadAsync));

    internal int Saves => _operations.Count(o => o.Method == nameof(IFallbackStore.SaveAsync));

    internal ErrorBudgetPause? PauseOf(string clientName) => Read(d => d.Pauses.Values).SingleOrDefault(p => p.ClientName == clientName);

    /// <summary>Runs before each operation of this name.</summary>
    internal void Before(string method, Func<Task> action) => _before[method] = action;

    internal void Before(string method, Action action) => Before(method, () =>
    {
        action();
        return Task.CompletedTask;
    });

    /// <summary>Ends the wait for letters, as the passage of time does.</summary>
    internal void WakeUp() => Storage.Database.NotifyLetterArrived();

    /// <summary>Another process takes over all keys.</summary>
    internal void TakeKeys() => Change(d =>
    {
        foreach (var (key, call) in d.Keys.ToList())
            d.Keys[key] = call with { Owner = Guid.NewGuid() };
    });

    /// <summary>Another process takes over the batch.</summary>
    internal void TakeBatch(string name, DateTimeOffset leaseUntil) => Change(d =>
    {
        var known = d.Batches.GetValueOrDefault(name) ?? (d.Batches[name] = new(new(default, default, 0, [])));
        known.Checkpoint = known.Checkpoint with { Owner = Guid.NewGuid(), LeaseUntil = leaseUntil };
    });

    /// <summary>Adds the counts of other processes.</summary>
    internal void Put(params ErrorBudgetCount[] counts) => Change(d =>
    {
        foreach (var count in counts)
            d.Counts[(count.ClientName, count.Period, count.Version, count.FailureClass)] = count.Calls;
    });

    internal void ForgetOperations() => _operations.Clear();

    private async Task InterceptAsync(InMemoryOperation operation, Func<Task> run)
    {
        _operations.Enqueue(operation);
        if (_before.TryGetValue(operation.Method, out var before))
            await before();
        if (operation.Method == nameof(IDeadLetterStore.WaitForLettersAsync))
        {
            await run();
            return;
        }

        if (Hangs)
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
        if (FailsHolds is not null && operation.Store == typeof(ICircuitHoldStore))
            throw FailsHolds;
        var failure = FailsOn is null || FailsOn == operation.Method ? Fails : null;
        if (failure is null || LosesAnswers)
            await run();
        if (failure is not null)
            throw failure;
    }

    private List<T> Arguments<T>(string method) => [.. _operations.Where(o => o.Method == method).Select(o => o.Argument).OfType<T>()];

    private List<T> Read<T>(Func<InMemoryDatabase, IEnumerable<T>> read)
    {
        lock (Storage.Database.Gate)
            return [.. read(Storage.Database)];
    }

    private void Change(Action<InMemoryDatabase> change)
    {
        lock (Storage.Database.Gate)
            change(Storage.Database);
    }
}
