namespace HttpResilience.Testing;

/// <summary>The checkpoints of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryCheckpointStore(InMemoryConnection connection) : InMemoryStore<ICheckpointStore>(connection), ICheckpointStore
{
    public Task<StoredCheckpoint> BeginAsync(
        string name, Guid owner, DateTimeOffset now, DateTimeOffset leaseUntil, CancellationToken cancellationToken) => RunAsync(name, () =>
    {
        var lease = StoredTime.Cut(leaseUntil);
        if (Find(name) is not { } batch)
            Database.Batches[Connection.Own(name)] = batch = new(new(owner, lease, 0, []));
        else if (batch.Checkpoint.Owner == owner || batch.Checkpoint.LeaseUntil <= StoredTime.Cut(now))
            batch.Checkpoint = batch.Checkpoint with { Owner = owner, LeaseUntil = lease };
        return batch.Checkpoint;
    }, cancellationToken);

    public Task<bool> SaveAsync(CheckpointUpdate update, CancellationToken cancellationToken) => RunAsync(update, () =>
    {
        if (Find(update.Name) is not { } batch || batch.Checkpoint.Owner != update.Owner)
            return false;
        batch.Checkpoint = new(update.Owner, StoredTime.Cut(update.LeaseUntil), update.Position, [.. update.Done]);
        if (update.Run is { } run)
        {
            if (run.BegunWith == 0)
                batch.BegunAt ??= StoredTime.Cut(run.BegunAt);
            batch.Run = (update.Owner, run with
            {
                BegunAt = StoredTime.Cut(run.BegunAt),
                SavedAt = StoredTime.Cut(run.SavedAt),
                Instance = StoredText.Storable(run.Instance),
            });
        }

        foreach (long index in update.Healed)
            batch.Failures.Remove(index);
        foreach (var failure in update.Failed)
            batch.Failures[failure.Index] = Normalize(failure);
        return true;
    }, cancellationToken);

    public Task<IReadOnlyList<BatchFailure>> FailuresAsync(string name, long? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return RunAsync<IReadOnlyList<BatchFailure>>(
            name, () => [.. (Find(name)?.Failures.Values.AsEnumerable() ?? []).Where(f => after is null || f.Index > after).Take(limit)],
            cancellationToken);
    }

    public Task<IReadOnlyList<StoredBatch>> ListAsync(int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return RunAsync(limit, () => BatchList.Of(
            Database.Batches.Where(b => Connection.NameIn(b.Key) is not null).Select(b => BatchOf(b.Key, b.Value)), limit),
            cancellationToken);
    }

    public Task<StoredBatch?> FindAsync(string name, CancellationToken cancellationToken) => RunAsync(name, () => BatchList.Of(
        Names(name).Where(Database.Batches.ContainsKey).Select(n => BatchOf(n, Database.Batches[n])), 1) is [var batch] ? batch : null,
        cancellationToken);

    private (bool IsOwn, StoredBatch Batch) BatchOf(string stored, InMemoryBatch batch)
    {
        string name = Connection.NameIn(stored)!;
        var checkpoint = batch.Checkpoint;
        return (stored == Connection.Own(name), new()
        {
            Name = name,
            Owner = checkpoint.Owner,
            LeaseUntil = checkpoint.LeaseUntil,
            Position = checkpoint.Position,
            Done = checkpoint.Position + checkpoint.Done.Sum(r => r.To - r.From),
            Failed = batch.Failures.Count,
            BegunAt = batch.BegunAt,
            Run = batch.Run is { } run && run.Owner == checkpoint.Owner ? run.Run : null,
        });
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) =>
        RunAsync(name, () =>
    {
        int deleted = Names(name).Count(Database.Batches.Remove);
        return deleted > 0;
    }, cancellationToken);

    private static BatchFailure Normalize(BatchFailure failure) => new()
    {
        Index = failure.Index,
        FailureClass = failure.FailureClass,
        Error = StoredText.Storable(failure.Error)!,
        ErrorType = StoredText.Storable(failure.ErrorType),
        StatusCode = failure.StatusCode,
        Attempts = failure.Attempts,
        IdempotencyKey = StoredText.Storable(failure.IdempotencyKey),
        Tenant = StoredText.Storable(failure.Tenant),
        Tags = StoredJson.Map(StoredJson.Map(failure.Tags)),
        DeadLetterId = failure.DeadLetterId,
        FailedAt = StoredTime.Cut(failure.FailedAt),
    };

    private InMemoryBatch? Find(string name) =>
        Names(name).Select(n => Database.Batches.GetValueOrDefault(n)).FirstOrDefault(b => b is not null);

    private IEnumerable<string> Names(string name) => Connection.Names(name, Database.Batches.Keys);
}
