namespace HttpResilience;

/// <summary>One run of a batch: reads the source, works on some records at once, and keeps count. Ends when all that was begun has ended.</summary>
/// <param name="begin">Makes the step of a record; who is slow to read results may have it wait.</param>
internal sealed class BatchRun<T>(Func<T, long, CancellationToken, ValueTask<BatchStep>> begin, BatchOptions<T> options, long? total = null) : IDisposable
{
    // For what is under way when the batch is cancelled.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = options.TimeProvider;
    private readonly OutageGate _gate = new(options.OutagePatience, options.TimeProvider);
    private readonly BatchTally<T> _tally = new(options, options.Total ?? total);
    private readonly CancellationTokenSource _broken = new();
    private Exception? _failed;

    internal async Task<BatchReport> RunAsync(IAsyncEnumerable<T> source, CancellationToken cancellationToken)
    {
        await using var checkpoint = await CheckpointWriter.OpenAsync(options.Checkpoint, Break, _time, cancellationToken).ConfigureAwait(false);
        using var places = new SemaphoreSlim(options.MaxParallelism);
        using var running = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _broken.Token);
        try
        {
            await BeginAllAsync(source, checkpoint, places, running.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (running.IsCancellationRequested)
        {
            // Told below, once everything that was begun has ended.
        }
        finally
        {
            for (int i = 0; i < options.MaxParallelism; i++)
                await places.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (_failed is not null)
            throw _failed;
        cancellationToken.ThrowIfCancellationRequested();
        var kept = await checkpoint.EndAsync(options.MaxReportedFailures).ConfigureAwait(false);
        return _tally.Report(kept);
    }

    public void Dispose() => _broken.Dispose();

    private async Task BeginAllAsync(IAsyncEnumerable<T> source, CheckpointWriter checkpoint, SemaphoreSlim places, CancellationToken cancellationToken)
    {
        long index = -1;
        await foreach (var record in source.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (_tally.IsStopped)
                return;
            if (checkpoint.IsDone(++index))
            {
                _tally.Skip();
                continue;
            }

            await places.WaitAsync(cancellationToken).ConfigureAwait(false);
            // A record that was cancelled may have made room for the next before the wait for it was.
            if (_tally.IsStopped || cancellationToken.IsCancellationRequested)
            {
                places.Release();
                return;
            }

            _ = RunRecordAsync(record, index, checkpoint, places, cancellationToken);
        }
    }

    private async Task RunRecordAsync(T record, long index, CheckpointWriter checkpoint, SemaphoreSlim places, CancellationToken cancellationToken)
    {
        try
        {
            var step = await begin(record, index, cancellationToken).ConfigureAwait(false);
            var failure = await TryAsync(step, record, index, cancellationToken).ConfigureAwait(false);
            bool isDone = _tally.Settle(failure);
            if (isDone)
                await checkpoint.SettleAsync(index, failure).ConfigureAwait(false);
            step.Settled(failure);
            _tally.TellProgress();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Neither done nor failed: the next run has it again.
        }
        catch (Exception e)
        {
            Break(e);
        }
        finally
        {
            places.Release();
        }
    }

    /// <returns>Null for a success.</returns>
    private async Task<BatchFailure?> TryAsync(BatchStep step, T record, long index, CancellationToken cancellationToken)
    {
        while (true)
        {
            await _gate.PassAsync(cancellationToken).ConfigureAwait(false);
            var calls = new CallCollector();
            HttpCallScopeOptions? scope = null;
            try
            {
                scope = ScopeOf(record, index);
                await RunStepAsync(step, scope, calls, cancellationToken).ConfigureAwait(false);
                _gate.Passed();
                return null;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested || e is not OperationCanceledException)
            {
                bool isRejected = BatchFailures.IsRejection(e, out var retryAfter);
                if (isRejected && _gate.Hold(retryAfter))
                    continue;
                if (!isRejected)
                    _gate.Passed();
                return BatchFailures.Describe(index, e, calls, scope, isRejected, _time.GetUtcNow());
            }
        }
    }

    private HttpCallScopeOptions ScopeOf(T record, long index)
    {
        var scope = options.Scope?.Invoke(record, index) ?? new();
        scope.Tags.TryAdd("recordIndex", index);
        return scope;
    }

    // On a thread of its own making, so that an action that blocks holds up its record alone; one that takes too long is left behind.
    private async Task RunStepAsync(BatchStep step, HttpCallScopeOptions scope, CallCollector calls, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var token = ended.Token;
        var running = Task.Run(
            async () =>
            {
                using (HttpCallScope.Begin(scope, calls))
                    await step.Action(token).ConfigureAwait(false);
            },
            CancellationToken.None);
        try
        {
            await running.WaitAsync(options.RecordTimeout ?? Timeout.InfiniteTimeSpan, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            LeaveBehind(running);
            await ended.CancelAsync().ConfigureAwait(false);
            throw new TimeoutException($"The record took longer than {options.RecordTimeout} (RecordTimeout).");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && !running.IsCompleted)
        {
            // It has been told. What ends in time is what it is, a success too.
            LeaveBehind(running);
            await running.WaitAsync(Grace, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!running.IsCompletedSuccessfully)
                throw;
        }
    }

    // What it may still do is nobody's business any more.
    private static void LeaveBehind(Task running) =>
        running.ContinueWith(static late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    // The first that happens ends the run: further records could not be kept count of.
    private void Break(Exception exception)
    {
        if (Interlocked.CompareExchange(ref _failed, exception, null) is null)
            _broken.Cancel();
    }
}
