namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>
/// The circuit with short breaks, said as plainly as can be: it keeps everything that has ended and looks through all of it each time. Time
/// is in the ticks of <paramref name="frequency"/>.
/// </summary>
internal sealed class ShortBreakModel(long frequency)
{
    private readonly List<(long At, CircuitOutcome Outcome, bool IsSlow)> _results = [];
    private long _latestSuccessBeganAt = -1;
    private int _growths;
    private long _trippedAt;
    private long? _closedAt;
    private long _lastProbeAt;
    private int _probesOut;

    internal CircuitState State { get; private set; } = CircuitState.Closed;

    internal int Period { get; private set; }

    internal long OpenUntil { get; private set; }

    internal long Break { get; private set; }

    /// <summary>0: not known.</summary>
    internal long Pace { get; private set; }

    internal bool BreakIsOver(long now) => State is CircuitState.Open && now >= OpenUntil;

    /// <returns>The period that the attempt belongs to; null when it is not let through.</returns>
    internal int? Enter(CircuitBreakerOptions options, long now)
    {
        if (BreakIsOver(now))
            Begin(CircuitState.HalfOpen);
        if (State is CircuitState.Closed)
            return Period;
        if (State is not CircuitState.HalfOpen)
            return null;
        // Of the classic circuit a probe that never ends keeps its place for ever.
        bool isSilent = options.MaxWait is not null && now - _lastProbeAt >= Math.Max(frequency, Break);
        if (_probesOut >= options.HalfOpenProbes && !isSilent)
            return null;
        _probesOut++;
        _lastProbeAt = now;
        return Period;
    }

    internal void Report(CircuitBreakerOptions options, int period, CircuitOutcome outcome, long startedAt, long openAtLeast, long now)
    {
        if (period != Period)
            return;
        bool isSlow = outcome is not CircuitOutcome.Neutral && options.SlowCallDuration is { } slow && now - startedAt >= Of(slow);
        if (State is CircuitState.HalfOpen)
        {
            _probesOut--;
            if (outcome is CircuitOutcome.Failure || isSlow)
                FailProbe(options, openAtLeast, now);
            else if (outcome is CircuitOutcome.Success)
            {
                _results.Add((now, outcome, false));
                if (_results.Count >= options.SuccessThreshold)
                    Close(now);
            }

            return;
        }

        bool isStale = outcome is CircuitOutcome.Failure && options.FailureDuration is not null && startedAt < _latestSuccessBeganAt;
        if (outcome is CircuitOutcome.Neutral || isStale)
            return;
        _results.Add((now, outcome, isSlow));
        if (outcome is CircuitOutcome.Success)
            _latestSuccessBeganAt = Math.Max(_latestSuccessBeganAt, startedAt);
        if (IsTooMuch(options, outcome, isSlow, now))
            Trip(options, openAtLeast, now);
    }

    internal void Isolate()
    {
        if (State is not CircuitState.Isolated)
            Begin(CircuitState.Isolated);
    }

    internal void Close(long now)
    {
        if (State is CircuitState.Closed)
            return;
        Begin(CircuitState.Closed);
        _closedAt = now;
    }

    private void Trip(CircuitBreakerOptions options, long openAtLeast, long now)
    {
        bool hasJustClosed = _closedAt is { } closedAt && now - closedAt < 10 * Tenth(options);
        if (!hasJustClosed || Pace == 0)
        {
            var recent = Recent(options, now);
            long since = recent.Length > 0 ? Math.Max(recent[0].At / Tenth(options) * Tenth(options), CountedSince(options)) : now;
            Pace = recent.Length >= 10 ? (now - since) / recent.Length : 0;
        }

        (_trippedAt, _growths) = (now, 0);
        Open(options, openAtLeast, now);
    }

    private void FailProbe(CircuitBreakerOptions options, long openAtLeast, long now)
    {
        // As long as calls wait the break stays as it is.
        if (options.MaxWait is not { } wait || now - _trippedAt >= Of(wait))
            _growths++;
        Open(options, openAtLeast, now);
    }

    private void Open(CircuitBreakerOptions options, long openAtLeast, long now)
    {
        var length = options.BreakDuration!.Value;
        for (int i = 0; i < _growths && length < options.MaxBreakDuration; i++)
            length = 2 * length < options.MaxBreakDuration ? 2 * length : options.MaxBreakDuration.Value;
        Break = Math.Max(Of(length), openAtLeast);
        OpenUntil = now + Break;
        Begin(CircuitState.Open);
    }

    private bool IsTooMuch(CircuitBreakerOptions options, CircuitOutcome outcome, bool isSlow, long now)
    {
        var recent = Recent(options, now);
        bool isEnough = recent.Length >= options.MinimumThroughput;
        if (isSlow && isEnough && recent.Count(r => r.IsSlow) >= options.SlowCallRatio * recent.Length)
            return true;
        if (outcome is not CircuitOutcome.Failure)
            return false;
        var row = _results.AsEnumerable().Reverse().TakeWhile(r => r.Outcome is CircuitOutcome.Failure).ToArray();
        bool hasLasted = options.FailureDuration is not { } duration || row[0].At - row[^1].At >= Of(duration);
        return (row.Length >= options.FailureThreshold && hasLasted)
            || (isEnough && recent.Count(r => r.Outcome is CircuitOutcome.Failure) >= options.FailureRatio * recent.Length);
    }

    // The sampling duration goes by tenths: the present one and the nine before it.
    private (long At, CircuitOutcome Outcome, bool IsSlow)[] Recent(CircuitBreakerOptions options, long now) =>
        [.. _results.Where(r => r.At / Tenth(options) > now / Tenth(options) - 10)];

    // Since the last pause of the sampling duration.
    private long CountedSince(CircuitBreakerOptions options)
    {
        int last = _results.Count - 1;
        while (last > 0 && _results[last - 1].At / Tenth(options) > _results[last].At / Tenth(options) - 10)
            last--;
        return _results[last].At;
    }

    private void Begin(CircuitState state)
    {
        State = state;
        Period++;
        _probesOut = 0;
        _results.Clear();
    }

    private long Tenth(CircuitBreakerOptions options) => Math.Max(1, Of(options.SamplingDuration) / 10);

    private long Of(TimeSpan duration) => (long)Math.Ceiling(duration.TotalSeconds * frequency);
}
