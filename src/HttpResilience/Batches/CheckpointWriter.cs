namespace HttpResilience;

/// <summary>
/// Keeps how far a run is. All records that end while a save is under way share the next one; each waits until it is kept. One save at a time, and each with all
/// that goes with it: a record is never kept as worked on without its failure. Without a checkpoint there is nothing to keep.
/// </summary>
internal sealed class CheckpointWriter : IAsyncDisposable
{
    internal static readonly TimeSpan LeaseLength = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    private const int FailuresAtOnce = 1000;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _saving = new(1);
    private readonly BatchCheckpoint? _checkpoint;
    private readonly Guid _owner;
    private readonly TimeProvider _time;
    private readonly BatchLedger _ledger;
    private readonly HashSet<long> _toTryAgain = [];
    private readonly Lease? _lease;
    private Pending _pending = new();
    private bool _isSaving;
    private bool _isEnded;
    private Exception? _broken;

    private CheckpointWriter(BatchCheckpoint? checkpoint, Guid owner, StoredCheckpoint begun, Action<Exception> failed, TimeProvider time)
    {
        (_checkpoint, _owner, _time) = (checkpoint, owner, time);
        _ledger = new(begun.Position, begun.Done);
        if (checkpoint is not null)
            _lease = new(begun.LeaseUntil, RenewEvery, time, RenewAsync, e => failed(e ?? new BatchInProgressException(checkpoint.Name, leaseUntil: null)));
    }

    /// <summary>Takes the batch for this run; waits for a lease that a run left behind which was killed.</summary>
    /// <param name="failed">Told when it can no longer be kept how far the run is.</param>
    /// <exception cref="BatchInProgressException">Another run has it.</exception>
    internal static async Task<CheckpointWriter> OpenAsync(BatchCheckpoint? checkpoint, Action<Exception> failed, TimeProvider time, CancellationToken cancellationToken)
    {
        var owner = Guid.NewGuid();
        if (checkpoint is null)
            return new(null, owner, new(owner, DateTimeOffset.MaxValue, 0, []), failed, time);

        var writer = new CheckpointWriter(checkpoint, owner, await TakeAsync(checkpoint, owner, time, cancellationToken).ConfigureAwait(false), failed, time);
        try
        {
            await writer.FindFailuresAsync(cancellationToken).ConfigureAwait(false);
            return writer;
        }
        catch
        {
            await writer.DisposeAsync().ConfigureAwait(false);
            throw;
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
            _pending.Indexes.Add(index);
            if (failure is not null)
                _pending.Failed.Add(failure);
            else if (_toTryAgain.Contains(index))
                _pending.Healed.Add(index);
            if (_broken is not null)
                _pending.Fail(_broken);
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
        if (_lease is null || _isEnded)
            return;
        _isEnded = true;
        await _lease.DisposeAsync().ConfigureAwait(false);
        // If that fails, the lease ends by itself, or belongs to another run.
        await SaveAsync(lease: TimeSpan.Zero).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<StoredCheckpoint> TakeAsync(BatchCheckpoint checkpoint, Guid owner, TimeProvider time, CancellationToken cancellationToken)
    {
        DateTimeOffset? firstLease = null;
        while (true)
        {
            var now = time.GetUtcNow();
            var begun = await checkpoint.Store.BeginAsync(checkpoint.Name, owner, now, now + LeaseLength, cancellationToken).ConfigureAwait(false);
            if (begun.Owner == owner)
                return begun;
            firstLease ??= begun.LeaseUntil;
            // It is renewed, or of a clock that is far ahead: nothing to wait for.
            if (begun.LeaseUntil > firstLease || begun.LeaseUntil - now > 2 * LeaseLength)
                throw new BatchInProgressException(checkpoint.Name, begun.LeaseUntil);
            await Task.Delay(PollInterval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task FindFailuresAsync(CancellationToken cancellationToken)
    {
        if (_checkpoint!.Mode is CheckpointMode.AdvanceAndDeadLetter)
            return;
        IReadOnlyList<BatchFailure> some = [];
        do
        {
            some = await _checkpoint.Store.FailuresAsync(_checkpoint.Name, some is [.., var last] ? last.Index : null, FailuresAtOnce, cancellationToken).ConfigureAwait(false);
            lock (_gate)
                _toTryAgain.UnionWith(some.Select(f => f.Index));
        }
        while (some.Count == FailuresAtOnce);
    }

    private async Task SaveAllAsync()
    {
        // Not on the thread of whoever came first.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (true)
        {
            lock (_gate)
            {
                if (_pending.Indexes.Count == 0)
                {
                    _isSaving = false;
                    return;
                }
            }

            try
            {
                await SaveAsync(LeaseLength).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // Whoever waits, or comes later, is told; what they wait for is left to the last save.
                lock (_gate)
                {
                    _broken = e;
                    _pending.Fail(e);
                }

                return;
            }
        }
    }

    /// <summary>Keeps all that is known by now. What could not be kept is kept with the next save.</summary>
    /// <exception cref="BatchInProgressException">Another run has taken the batch over.</exception>
    private async Task SaveAsync(TimeSpan lease)
    {
        await _saving.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        Pending taken;
        CheckpointUpdate update;
        lock (_gate)
        {
            (taken, _pending) = (_pending, new());
            taken.Indexes.ForEach(_ledger.Add);
            update = new()
            {
                Name = _checkpoint!.Name,
                Owner = _owner,
                LeaseUntil = _time.GetUtcNow() + lease,
                Position = _ledger.Position,
                Done = _ledger.Done,
                Failed = taken.Failed,
                Healed = taken.Healed,
            };
        }

        try
        {
            // Whoever stops the batch wants to know what is done.
            if (!await _checkpoint.Store.SaveAsync(update, CancellationToken.None).ConfigureAwait(false))
                throw new BatchInProgressException(_checkpoint.Name, leaseUntil: null);
            _lease!.Until = update.LeaseUntil;
            taken.Kept.TrySetResult();
        }
        catch (Exception e)
        {
            lock (_gate)
                _pending.Take(taken);
            taken.Fail(e);
            throw;
        }
        finally
        {
            _saving.Release();
        }
    }

    private async Task<bool> RenewAsync()
    {
        try
        {
            await SaveAsync(LeaseLength).ConfigureAwait(false);
            return true;
        }
        catch (BatchInProgressException)
        {
            return false;
        }
    }

    private sealed class Pending
    {
        internal List<long> Indexes { get; } = [];

        internal List<BatchFailure> Failed { get; } = [];

        internal List<long> Healed { get; } = [];

        internal TaskCompletionSource Kept { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal void Fail(Exception exception)
        {
            Kept.TrySetException(exception);
            // Nobody may be waiting.
            _ = Kept.Task.Exception;
        }

        internal void Take(Pending earlier)
        {
            Indexes.AddRange(earlier.Indexes);
            Failed.AddRange(earlier.Failed);
            Healed.AddRange(earlier.Healed);
        }
    }
}
