using System.Runtime.ExceptionServices;

namespace HttpResilience;

/// <summary>One run of a batch: reads the source and processes several records at once. Ends when all started records have ended.</summary>
/// <param name="begin">Creates the step of a record; waits while the reader of results is slow.</param>
internal sealed class BatchRun<T>(Func<T, long, CancellationToken, ValueTask<BatchStep>> begin, BatchOptions<T> options, long? total = null)
    : IDisposable
{
    // For records in progress when the batch is cancelled.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = options.TimeProvider;
    private readonly OutageBackoff _gate = new(options.OutageTimeout, options.TimeProvider);
    private readonly BatchTally<T> _tally = new(options, options.Total ?? total);
    private readonly CancellationTokenSource _broken = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly Lock _observing = new();
    private CallObservers[] _observers = [];
    private Exception? _failed;

    internal async Task<BatchReport> RunAsync(IAsyncEnumerable<T> source, CancellationToken cancellationToken)
    {
        var checkpoint = await CheckpointWriter.OpenAsync(
            options.Checkpoint, options.Total ?? total, Break, _time, cancellationToken).ConfigureAwait(false);
        await using var saved = checkpoint.ConfigureAwait(false);
        using var places = new SemaphoreSlim(options.MaxParallelism);
        using var running = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _broken.Token);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(running.Token, _stopped.Token);
        try
        {
            await BeginAllAsync(source, checkpoint, places, reading.Token, running.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (reading.IsCancellationRequested)
        {
            // Reported below, after all started records have ended.
        }
        finally
        {
            for (int i = 0; i < options.MaxParallelism; i++)
                await places.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (_failed is not null)
            ExceptionDispatchInfo.Throw(_failed);
        cancellationToken.ThrowIfCancellationRequested();
        var kept = await checkpoint.EndAsync(options.MaxReportedFailures).ConfigureAwait(false);
        var report = _tally.Report(kept);
        if (options.Checkpoint is { } named && report.HasNothingNew)
            BatchNotice.NothingNew(options.Services, named.Name, report.Skipped);
        if (options.Name is { } name && report.StopReason is BatchStopReason.Completed)
            NotifyFinished(name);
        return report;
    }

    public void Dispose()
    {
        _broken.Dispose();
        _stopped.Dispose();
    }

    /// <param name="reading">Cancelled when no further record is started.</param>
    /// <param name="running">Cancelled to end records in progress, too.</param>
    private async Task BeginAllAsync(
        IAsyncEnumerable<T> source, CheckpointWriter checkpoint, SemaphoreSlim places, CancellationToken reading, CancellationToken running)
    {
        long index = -1;
        await foreach (var record in source.WithCancellation(reading).ConfigureAwait(false))
        {
            reading.ThrowIfCancellationRequested();
            if (checkpoint.IsDone(++index))
            {
                _tally.Skip();
                continue;
            }

            await places.WaitAsync(reading).ConfigureAwait(false);
            // A cancelled record may have released its place before this wait was cancelled; of two linked tokens the later one is first.
            if (reading.IsCancellationRequested || running.IsCancellationRequested)
            {
                places.Release();
                return;
            }

            _ = RunRecordAsync(record, index, checkpoint, places, running);
        }
    }

    private async Task RunRecordAsync(
        T record, long index, CheckpointWriter checkpoint, SemaphoreSlim places, CancellationToken cancellationToken)
    {
        try
        {
            var step = await begin(record, index, cancellationToken).ConfigureAwait(false);
            var failure = await TryAsync(step, record, index, cancellationToken).ConfigureAwait(false);
            bool isDone = _tally.Settle(failure);
            if (_tally.IsStopped)
                await _stopped.CancelAsync().ConfigureAwait(false);
            if (isDone)
                await checkpoint.SettleAsync(index, failure).ConfigureAwait(false);
            step.Settled(failure);
            _tally.ReportProgress();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Neither done nor failed: the next run tries it again.
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

    private void NotifyFinished(string name)
    {
        if (options.Services is { } services)
            ((CallObservers?)services.GetService(typeof(CallObservers)))?.BatchFinished(name);
        else
            Array.ForEach(Volatile.Read(ref _observers), observers => observers.BatchFinished(name));
    }

    private void AddObservers(IReadOnlyList<CallObservers> observers)
    {
        if (options.Name is null || !observers.Except(Volatile.Read(ref _observers)).Any())
            return;
        lock (_observing)
            Volatile.Write(ref _observers, [.. _observers.Union(observers)]);
    }

    /// <returns>Null for a success.</returns>
    private async Task<BatchFailure?> TryAsync(BatchStep step, T record, long index, CancellationToken cancellationToken)
    {
        while (true)
        {
            var attempt = new RecordAttempt();
            try
            {
                await RunStepAsync(step, record, index, attempt, cancellationToken).ConfigureAwait(false);
                _gate.Passed(attempt.Calls);
                AddObservers(attempt.Calls.Observers);
                return null;
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // The action may report the cancellation by any exception.
                throw new OperationCanceledException(cancellationToken);
            }
            catch (Exception e)
            {
                AddObservers(attempt.Calls.Observers);
                var rejection = BatchRejection.Of(e, attempt.Calls);
                if (rejection is not null && _gate.MayWait(rejection) is { } until)
                {
                    await Delay.UntilAsync(_time, until, async: true, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                if (rejection is null)
                    _gate.Passed(attempt.Calls);
                return BatchFailures.Describe(index, e, attempt, isRejected: rejection is not null, _time.GetUtcNow());
            }
        }
    }

    // On the thread pool, so that blocking code of the application holds up its own record only. A record that times out is abandoned.
    private async Task RunStepAsync(BatchStep step, T record, long index, RecordAttempt attempt, CancellationToken cancellationToken)
    {
        var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var token = ended.Token;
        var running = Task.Run(
            async () =>
            {
                attempt.Scope = ScopeOf(record, index);
                using (HttpCallScope.Begin(attempt.Scope, attempt.Calls.Add))
                    await step.Action(token).ConfigureAwait(false);
            },
            CancellationToken.None);
        await running.WaitAsync(options.RecordTimeout ?? Timeout.InfiniteTimeSpan, _time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!running.IsCompleted && cancellationToken.IsCancellationRequested)
            await running.WaitAsync(Grace, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!running.IsCompleted)
        {
            // Observes later exceptions of the abandoned record and of its cancellation callbacks.
            Observe(running);
            Observe(ended.CancelAsync());
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException($"The record took longer than {options.RecordTimeout} (RecordTimeout).");
        }

        ended.Dispose();
        await running.ConfigureAwait(false);
    }

    private static void Observe(Task abandoned) => _ = abandoned.ContinueWith(
        static late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private HttpCallScopeOptions ScopeOf(T record, long index) =>
        HttpCallScopeOptions.Merge(new() { Tags = { ["recordIndex"] = index } }, options.Scope?.Invoke(record, index))!;

    // The first exception ends the run: the progress of further records could not be stored.
    private void Break(Exception exception)
    {
        if (Interlocked.CompareExchange(ref _failed, exception, null) is null)
            _ = _broken.CancelAsync();
    }
}
