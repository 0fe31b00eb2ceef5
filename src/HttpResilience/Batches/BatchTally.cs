namespace HttpResilience;

/// <summary>Counts what becomes of the records of a run, and knows when that is enough.</summary>
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
    private long _toldAt = long.MinValue;

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
    /// <returns>False when its failure was not its own: another run has to try it again.</returns>
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

        // The application's own word is asked for outside of the lock.
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

    /// <summary>Tells how far the batch is, unless that was told a moment ago.</summary>
    internal void ReportProgress(bool isEnd = false)
    {
        if (options.Progress is not { } progress)
            return;

        BatchProgress now;
        lock (_gate)
        {
            if (!isEnd && _toldAt != long.MinValue && _time.GetElapsedTime(_toldAt) < ReportInterval)
                return;
            _toldAt = _time.GetTimestamp();
            now = new(_succeeded, _failed, _skipped, total, _time.GetElapsedTime(_startedAt));
        }

        try
        {
            progress.Report(now);
        }
        catch (Exception)
        {
            // Who listens to the progress is not what the batch is run for.
        }
    }

    /// <param name="kept">The failures that are kept, of this run and earlier ones; null when none are.</param>
    internal BatchReport Report(IReadOnlyList<BatchFailure>? kept)
    {
        ReportProgress(isEnd: true);
        lock (_gate)
        {
            // Those of this run know more than what was read back.
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
