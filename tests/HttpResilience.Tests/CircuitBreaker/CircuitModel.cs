namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>
/// What a circuit does, said as plainly as can be: nothing packed, nothing counted ahead. It keeps the history of the period it is in and looks through
/// all of it each time.
/// </summary>
internal sealed class CircuitModel(CircuitBreakerOptions options)
{
    private readonly List<(long At, CircuitOutcome Outcome)> _results = [];
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
        if (State is CircuitState.Open || (State is CircuitState.HalfOpen && _probesOut == options.HalfOpenProbes))
            return null;
        if (State is CircuitState.HalfOpen)
            _probesOut++;
        return Period;
    }

    internal void Report(int period, CircuitOutcome outcome, long openAtLeast, long now)
    {
        if (period != Period)
            return;

        _results.Add((now, outcome));
        if (State is CircuitState.HalfOpen)
            _probesOut--;
        if (State is CircuitState.HalfOpen && _results.Count(r => r.Outcome is CircuitOutcome.Success) == options.SuccessThreshold)
        {
            Begin(CircuitState.Closed);
            _breaks = 0;
        }
        else if (outcome is CircuitOutcome.Failure && (State is CircuitState.HalfOpen || IsTooMuch(now)))
        {
            long length = Milliseconds(options.BreakDuration!.Value);
            for (int i = 0; i < _breaks; i++)
                length = Math.Min(length * 2, Milliseconds(options.MaxBreakDuration!.Value));
            _breaks++;
            OpenUntil = now + Math.Max(length, openAtLeast);
            Begin(CircuitState.Open);
        }
    }

    private bool IsTooMuch(long now)
    {
        var counted = _results.Where(r => r.Outcome is not CircuitOutcome.Neutral).ToArray();
        if (counted.Reverse().TakeWhile(r => r.Outcome is CircuitOutcome.Failure).Count() >= options.FailureThreshold)
            return true;

        // The sampling duration goes by tenths: the one in hand and the nine before it.
        long tenth = Milliseconds(options.SamplingDuration) / 10;
        var recent = counted.Where(r => r.At / tenth > now / tenth - 10).ToArray();
        return recent.Length >= options.MinimumThroughput
            && recent.Count(r => r.Outcome is CircuitOutcome.Failure) >= options.FailureRatio * recent.Length;
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
