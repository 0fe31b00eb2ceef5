namespace HttpResilience;

/// <summary>
/// Keeps how far a run is. All records that end while a save is under way share the next one; each waits until it is kept. Without a checkpoint there is nothing to keep.
/// </summary>
internal sealed class CheckpointWriter : IAsyncDisposable
{
    internal static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private const int FailuresAtOnce = 1000;

    private readonly Lock _gate = new();
    private readonly BatchCheckpoint? _checkpoint;
    private readonly Guid _owner;
    private readonly Action<Exception> _failed;
    private readonly TimeProvider _time;
    private readonly BatchLedger _ledger;
    private readonly HashSet<long> _toTryAgain;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewing;
    private Pending _pending = new();
    private bool _isSaving;

    private CheckpointWriter(BatchCheckpoint? checkpoint, Guid owner, StoredCheckpoint begun, HashSet<long> toTryAgain, Action<Exception> failed, TimeProvider time)
    {
        (_checkpoint, _owner, _toTryAgain, _failed, _time) = (checkpoint, owner, toTryAgain, failed, time);
        _ledger = new(begun.Position, begun.Done);
        _renewing = checkpoint is null ? Task.CompletedTask : RenewAsync();
    }

    /// <summary>Takes the batch for this run; waits for a lease that a run left behind which was killed.</summary>
    /// <param name="failed">Told when it can no longer be kept how far the run is.</param>
    /// <exception cref="BatchInProgressException">Another run has it.</exception>
    internal static async Task<CheckpointWriter> OpenAsync(BatchCheckpoint? checkpoint, Action<Exception> failed, TimeProvider time, CancellationToken cancellationToken)
    {
        var owner = Guid.NewGuid();
        if (checkpoint is null)
            return new(null, owner, new(owner, DateTimeOffset.MaxValue, 0, []), [], failed, time);

        DateTimeOffset? firstLease = null;
        while (true)
        {
            var now = time.GetUtcNow();
            var begun = await checkpoint.Store.BeginAsync(checkpoint.Name, owner, now, now + Lease, cancellationToken).ConfigureAwait(false);
            if (begun.Owner == owner)
                return new(checkpoint, owner, begun, await ToTryAgainAsync(checkpoint, cancellationToken).ConfigureAwait(false), failed, time);
            firstLease ??= begun.LeaseUntil;
            if (begun.LeaseUntil > firstLease)
                throw new BatchInProgressException(checkpoint.Name, begun.LeaseUntil);
            await Task.Delay(LookEvery, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>An earlier run has worked on the record, and this one leaves it alone.</summary>
    internal bool IsDone(long index)
    {
        if (_checkpoint is null)
            return false;
        lock (_gate)
            return _ledger.Has(index) && !_toTryAgain.Contains(index);
    }

    /// <summary>Keeps that a record has been worked on.</summary>
    internal async Task SettleAsync(long index, BatchFailure? failure)
    {
        if (_checkpoint is null)
            return;

        Task kept;
        lock (_gate)
        {
            _ledger.Add(index);
            _pending.Count++;
            if (failure is not null)
                _pending.Failed.Add(failure);
            else if (_toTryAgain.Contains(index))
                _pending.Healed.Add(index);
            kept = _pending.Kept.Task;
            if (!_isSaving)
            {
                _isSaving = true;
                _ = SaveAllAsync();
            }
        }

        await kept.ConfigureAwait(false);
    }

    /// <summary>Gives the batch back.</summary>
    /// <returns>The failures that are kept; null when failures of earlier runs do not count.</returns>
    internal async Task<IReadOnlyList<BatchFailure>?> EndAsync(int maxFailures)
    {
        await DisposeAsync().ConfigureAwait(false);
        return _checkpoint is not { Mode: CheckpointMode.AdvanceAndDeadLetter } || maxFailures == 0 ? null
            : await _checkpoint.Store.FailuresAsync(_checkpoint.Name, after: null, maxFailures, CancellationToken.None).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_ended.IsCancellationRequested)
            return;
        await _ended.CancelAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        // If that fails, the lease ends by itself, or is another's.
        if (_checkpoint is not null)
            await SaveAsync(new(), lease: TimeSpan.Zero).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<HashSet<long>> ToTryAgainAsync(BatchCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        HashSet<long> indexes = [];
        if (checkpoint.Mode is CheckpointMode.AdvanceAndDeadLetter)
            return indexes;
        IReadOnlyList<BatchFailure> some = [];
        do
        {
            some = await checkpoint.Store.FailuresAsync(checkpoint.Name, some is [.., var last] ? last.Index : null, FailuresAtOnce, cancellationToken).ConfigureAwait(false);
            indexes.UnionWith(some.Select(f => f.Index));
        }
        while (some.Count == FailuresAtOnce);
        return indexes;
    }

    private async Task SaveAllAsync()
    {
        // Not on the thread of whoever came first.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (true)
        {
            Pending saved;
            lock (_gate)
            {
                if (_pending.Count == 0)
                {
                    _isSaving = false;
                    return;
                }

                (saved, _pending) = (_pending, new());
            }

            try
            {
                await SaveAsync(saved, Lease).ConfigureAwait(false);
                saved.Kept.SetResult();
            }
            catch (Exception e)
            {
                saved.Kept.SetException(e);
            }
        }
    }

    /// <exception cref="BatchInProgressException">Another run has taken the batch over.</exception>
    private async Task SaveAsync(Pending pending, TimeSpan lease)
    {
        CheckpointUpdate update;
        lock (_gate)
        {
            update = new()
            {
                Name = _checkpoint!.Name,
                Owner = _owner,
                LeaseUntil = _time.GetUtcNow() + lease,
                Position = _ledger.Position,
                Done = _ledger.Done,
                Failed = pending.Failed,
                Healed = pending.Healed,
            };
        }

        // Whoever stops the batch wants to know what is done.
        if (await _checkpoint.Store.SaveAsync(update, CancellationToken.None).ConfigureAwait(false))
            return;
        throw new BatchInProgressException(_checkpoint.Name, update.LeaseUntil);
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(RenewEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_ended.Token).ConfigureAwait(false))
                await SaveAsync(new(), Lease).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The run has ended.
        }
        catch (Exception e)
        {
            _failed(e);
        }
    }

    private sealed class Pending
    {
        internal int Count { get; set; }

        internal List<BatchFailure> Failed { get; } = [];

        internal List<long> Healed { get; } = [];

        internal TaskCompletionSource Kept { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
