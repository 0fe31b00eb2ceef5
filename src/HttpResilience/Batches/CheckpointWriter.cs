namespace HttpResilience;

/// <summary>
/// Stores the progress of a run. Records that end during a save share the next one, and each waits until it is stored. A save is atomic: a
/// record is never stored as processed without its failure. Without a checkpoint nothing is stored.
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

    private readonly DateTimeOffset _begunAt;
    private readonly long _begunWith;
    private readonly long? _total;

    private CheckpointWriter(
        BatchCheckpoint? checkpoint, Guid owner, StoredCheckpoint begun, long? total, Action<Exception> failed, TimeProvider time)
    {
        (_checkpoint, _owner, _time, _total) = (checkpoint, owner, time, total);
        (_begunAt, _begunWith) = (time.GetUtcNow(), begun.Position + begun.Done.Sum(r => r.To - r.From));
        _ledger = new(begun.Position, begun.Done);
        if (checkpoint is not null)
        {
            _lease = new(
                begun.LeaseUntil, RenewEvery, time, RenewAsync,
                lost: e => failed(e ?? new BatchInProgressException(checkpoint.Name, leaseUntil: null)));
        }
    }

    /// <summary>Claims the batch for this run; waits until the lease of a run that was killed expires.</summary>
    /// <param name="total">The number of records; null when it is not known.</param>
    /// <param name="failed">Called when the progress can no longer be stored.</param>
    /// <exception cref="BatchInProgressException">Another run holds the batch.</exception>
    internal static async Task<CheckpointWriter> OpenAsync(
        BatchCheckpoint? checkpoint, long? total, Action<Exception> failed, TimeProvider time, CancellationToken cancellationToken)
    {
        var owner = Guid.NewGuid();
        if (checkpoint is null)
            return new(null, owner, new(owner, DateTimeOffset.MaxValue, 0, []), total, failed, time);

        var begun = await TakeAsync(checkpoint, owner, time, cancellationToken).ConfigureAwait(false);
        var writer = new CheckpointWriter(checkpoint, owner, begun, total, failed, time);
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

    /// <summary>Whether an earlier run has processed the record, so that this one skips it.</summary>
    internal bool IsDone(long index)
    {
        if (_checkpoint is null)
            return false;
        lock (_gate)
            return _ledger.Has(index) && !_toTryAgain.Contains(index);
    }

    /// <summary>Stores that a record was processed.</summary>
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
                // Saves the records of others too.
                using (AmbientContext.Suppress())
                    _ = SaveAllAsync();
            }
        }

        await kept.ConfigureAwait(false);
    }

    /// <summary>Saves and releases the batch.</summary>
    /// <returns>The stored failures; null when failures of earlier runs do not count.</returns>
    internal async Task<IReadOnlyList<BatchFailure>?> EndAsync(int maxFailures)
    {
        await DisposeAsync().ConfigureAwait(false);
        return _checkpoint is not { Mode: CheckpointMode.AdvanceAndDeadLetter } || maxFailures == 0 ? null
            : await _checkpoint.Store.FailuresAsync(_checkpoint.Name, after: null, maxFailures, CancellationToken.None)
                .ConfigureAwait(false);
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

    private static async Task<StoredCheckpoint> TakeAsync(
        BatchCheckpoint checkpoint, Guid owner, TimeProvider time, CancellationToken cancellationToken)
    {
        DateTimeOffset? firstLease = null;
        while (true)
        {
            var now = time.GetUtcNow();
            var begun = await checkpoint.Store.BeginAsync(checkpoint.Name, owner, now, now + LeaseLength, cancellationToken)
                .ConfigureAwait(false);
            if (begun.Owner == owner)
                return begun;
            firstLease ??= begun.LeaseUntil;
            // A renewed lease belongs to a live run; one far in the future is not worth the wait.
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
            long? after = some is [.., var last] ? last.Index : null;
            some = await _checkpoint.Store.FailuresAsync(_checkpoint.Name, after, FailuresAtOnce, cancellationToken).ConfigureAwait(false);
            lock (_gate)
                _toTryAgain.UnionWith(some.Select(f => f.Index));
        }
        while (some.Count == FailuresAtOnce);
    }

    private async Task SaveAllAsync()
    {
        // Not on the thread of the record that ended first.
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
                // Records that wait, and later ones, fail; the last save stores them if it succeeds.
                lock (_gate)
                {
                    _broken = e;
                    _pending.Fail(e);
                }

                return;
            }
        }
    }

    /// <summary>Stores all pending progress. After a failure it is stored with the next save.</summary>
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
            var now = _time.GetUtcNow();
            update = new()
            {
                Name = _checkpoint!.Name,
                Owner = _owner,
                LeaseUntil = now + lease,
                Run = new(_begunAt, _begunWith, now, _total, InstanceName.Current),
                Position = _ledger.Position,
                Done = _ledger.Done,
                Failed = taken.Failed,
                Healed = taken.Healed,
            };
        }

        try
        {
            // Not cancelled with the batch, so that finished records are stored.
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
            // Observes the exception when no record waits.
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
