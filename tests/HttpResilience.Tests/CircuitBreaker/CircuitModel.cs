namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>
/// What a circuit does, said as plainly as can be: nothing packed, nothing counted ahead. It keeps the history of the period it is in and
/// looks through all of it each time. Time is in milliseconds.
/// </summary>
internal sealed class CircuitModel(CircuitBreakerOptions options)
{
    private readonly List<(long At, CircuitOutcome Outcome, bool IsSlow)> _results = [];
    private int _probesOut;
    private int _breaks;

    internal CircuitState State { get; private set; } = CircuitState.Closed;

    internal int Period { get; private set; }

    internal long OpenUntil { get; private set; }

    /// <returns>The period that the attempt belongs to; null when it is not let through.</returns>
    internal int? Enter(long now)
    {
        if (State is CircuitState.Open && now >= OpenUntil)
            Begin(CircuitState.HalfOpen);
        if (State is CircuitState.Open or CircuitState.Isolated || (State is CircuitState.HalfOpen && _probesOut == options.HalfOpenProbes))
            return null;
        if (State is CircuitState.HalfOpen)
            _probesOut++;
        return Period;
    }

    internal void Report(int period, CircuitOutcome outcome, long took, long openAtLeast, long now)
    {
        if (period != Period)
            return;

        bool isSlow = outcome is not CircuitOutcome.Neutral && took >= options.SlowCallDuration?.TotalMilliseconds;
        _results.Add((now, outcome, isSlow));
        if (State is CircuitState.HalfOpen)
            ReportProbe(outcome, isSlow, openAtLeast, now);
        else if (IsTooMuch(outcome, isSlow, now))
            Open(openAtLeast, now);
    }

    internal void Isolate()
    {
        if (State is not CircuitState.Isolated)
            Begin(CircuitState.Isolated);
    }

    internal void Close()
    {
        if (State is CircuitState.Closed)
            return;
        Begin(CircuitState.Closed);
        _breaks = 0;
    }

    private void ReportProbe(CircuitOutcome outcome, bool isSlow, long openAtLeast, long now)
    {
        _probesOut--;
        // A host that takes too long is not well again.
        if (outcome is CircuitOutcome.Failure || isSlow)
            Open(openAtLeast, now);
        else if (_results.Count(r => r.Outcome is CircuitOutcome.Success) == options.SuccessThreshold)
            Close();
    }

    private void Open(long openAtLeast, long now)
    {
        long length = Milliseconds(options.BreakDuration!.Value);
        for (int i = 0; i < _breaks; i++)
            length = Math.Min(length * 2, Milliseconds(options.MaxBreakDuration!.Value));
        _breaks++;
        OpenUntil = now + Math.Max(length, openAtLeast);
        Begin(CircuitState.Open);
    }

    /// <summary>
    /// A failure opens for failures, what was slow for slowness; whatever else ends changes nothing, whatever the history.
    /// </summary>
    private bool IsTooMuch(CircuitOutcome outcome, bool isSlow, long now)
    {
        var counted = _results.Where(r => r.Outcome is not CircuitOutcome.Neutral).ToArray();
        // The sampling duration goes by tenths: the one in hand and the nine before it.
        long tenth = Milliseconds(options.SamplingDuration) / 10;
        var recent = counted.Where(r => r.At / tenth > now / tenth - 10).ToArray();
        bool isEnough = recent.Length >= options.MinimumThroughput;
        if (isSlow && isEnough && recent.Count(r => r.IsSlow) >= options.SlowCallRatio * recent.Length)
            return true;
        if (outcome is not CircuitOutcome.Failure)
            return false;
        return counted.Reverse().TakeWhile(r => r.Outcome is CircuitOutcome.Failure).Count() >= options.FailureThreshold
            || (isEnough && recent.Count(r => r.Outcome is CircuitOutcome.Failure) >= options.FailureRatio * recent.Length);
    }

    private void Begin(CircuitState state)
    {
        State = state;
        Period++;
        _probesOut = 0;
        _results.Clear();
    }

    private static long Milliseconds(TimeSpan duration) => (long)duration.TotalMilliseconds;
}
