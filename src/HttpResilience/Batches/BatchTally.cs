namespace HttpResilience;

/// <summary>Counts the outcomes of the records of a run, and decides when to stop.</summary>
internal sealed class BatchTally<T>(BatchOptions<T> options, long? total)
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time = options.TimeProvider;
    private readonly long _startedAt = options.TimeProvider.GetTimestamp();
    private readonly List<BatchFailure> _failures = [];
    private readonly Dictionary<FailureClass, long> _byClass = [];
    private BatchStopReason _stopReason;
    private BatchFailure? _stoppedBy;
    private long _succeeded, _failed, _skipped;
    private BatchFailures.Kind _lastKind;
    private int _inARow;
    private long _reportedAt = long.MinValue;

    internal bool IsStopped
    {
        get
        {
            lock (_gate)
                return _stopReason is not BatchStopReason.Completed;
        }
    }

    internal void Skip()
    {
        lock (_gate)
            _skipped++;
        ReportProgress();
    }

    /// <summary>Counts a record.</summary>
    /// <returns>False when its failure does not concern it alone: another run must try it again.</returns>
    internal bool Settle(BatchFailure? failure)
    {
        lock (_gate)
        {
            if (failure is null)
            {
                _succeeded++;
                _lastKind = BatchFailures.Kind.Own;
                return true;
            }

            _failed++;
            _byClass[failure.FailureClass] = _byClass.GetValueOrDefault(failure.FailureClass) + 1;
            if (_failures.Count < options.MaxReportedFailures)
                _failures.Add(failure);
            var kind = BatchFailures.KindOf(failure);
            (_lastKind, _inARow) = (kind, kind == _lastKind ? _inARow + 1 : 1);
        }

        // The application's callback runs outside the lock.
        bool stops = options.StopWhen?.Invoke(failure) is true;
        lock (_gate)
        {
            bool isForAll = BatchFailures.IsForAll(failure, _inARow);
            if (_stopReason is BatchStopReason.Completed)
            {
                _stopReason = isForAll ? BatchStopReason.FailureForAll
                    : stops ? BatchStopReason.StopWhen
                    : _failed > options.MaxFailures ? BatchStopReason.TooManyFailures
                    : BatchStopReason.Completed;
                _stoppedBy = _stopReason is BatchStopReason.Completed ? null : failure;
            }

            return !(isForAll || stops || failure.IsRejected);
        }
    }

    /// <summary>Reports the progress, at most once per interval.</summary>
    internal void ReportProgress(bool isEnd = false)
    {
        if (options.Progress is not { } progress)
            return;

        BatchProgress now;
        lock (_gate)
        {
            if (!isEnd && _reportedAt != long.MinValue && _time.GetElapsedTime(_reportedAt) < ReportInterval)
                return;
            _reportedAt = _time.GetTimestamp();
            now = new(_succeeded, _failed, _skipped, total, _time.GetElapsedTime(_startedAt));
        }

        try
        {
            progress.Report(now);
        }
        catch (Exception)
        {
            // A failing progress callback does not stop the batch.
        }
    }

    /// <param name="kept">The stored failures of this run and earlier ones; null when there are none.</param>
    internal BatchReport Report(IReadOnlyList<BatchFailure>? kept)
    {
        ReportProgress(isEnd: true);
        lock (_gate)
        {
            // Failures of this run come first: they have the exception.
            var failures = _failures.Concat(kept ?? []).DistinctBy(f => f.Index).OrderBy(f => f.Index).Take(options.MaxReportedFailures);
            return new()
            {
                Succeeded = _succeeded,
                Failed = _failed,
                Skipped = _skipped,
                Failures = [.. failures],
                FailuresByClass = _byClass,
                StopReason = _stopReason,
                StoppedBy = _stoppedBy,
                Elapsed = _time.GetElapsedTime(_startedAt),
            };
        }
    }
}
