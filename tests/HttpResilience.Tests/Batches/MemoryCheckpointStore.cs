namespace HttpResilience.Tests.Batches;

/// <summary>Checkpoints in memory, for tests of one part. What a store has to do, the conformance suite shows on the real ones.</summary>
internal sealed class MemoryCheckpointStore : ICheckpointStore
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, BatchFailure> _failures = [];
    private StoredCheckpoint? _kept;

    internal Exception? Fails { get; set; }

    internal int Saves { get; private set; }

    /// <summary>Awaited before each save.</summary>
    internal Func<Task> BeforeSave { get; set; } = () => Task.CompletedTask;

    internal StoredCheckpoint Kept
    {
        get
        {
            lock (_gate)
                return _kept!;
        }
    }

    /// <summary>Another process takes the batch.</summary>
    internal Guid Take(DateTimeOffset leaseUntil)
    {
        lock (_gate)
        {
            _kept = (_kept ?? new(default, default, 0, [])) with { Owner = Guid.NewGuid(), LeaseUntil = leaseUntil };
            return _kept.Owner;
        }
    }

    public Task<StoredCheckpoint> BeginAsync(string name, Guid owner, DateTimeOffset now, DateTimeOffset leaseUntil, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_kept is null)
                _kept = new(owner, leaseUntil, 0, []);
            else if (_kept.Owner == owner || _kept.LeaseUntil <= now)
                _kept = _kept with { Owner = owner, LeaseUntil = leaseUntil };
            return Task.FromResult(_kept);
        }
    }

    public async Task<bool> SaveAsync(CheckpointUpdate update, CancellationToken cancellationToken)
    {
        await BeforeSave();
        if (Fails is not null)
            throw Fails;
        lock (_gate)
        {
            Saves++;
            if (_kept!.Owner != update.Owner)
                return false;
            _kept = new(update.Owner, update.LeaseUntil, update.Position, update.Done);
            foreach (long healed in update.Healed)
                _failures.Remove(healed);
            foreach (var failed in update.Failed)
                _failures[failed.Index] = failed with { Exception = null };
            return true;
        }
    }

    public Task<IReadOnlyList<BatchFailure>> FailuresAsync(string name, long? after, int limit, CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.FromResult<IReadOnlyList<BatchFailure>>([.. _failures.Values.Where(f => after is null || f.Index > after).Take(limit)]);
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => throw new NotSupportedException();
}
