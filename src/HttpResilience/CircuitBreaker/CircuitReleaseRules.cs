namespace HttpResilience;

/// <summary>
/// How fast the calls that waited for a circuit are sent when it has closed: with the calls that arrive meanwhile, which queue behind them,
/// the host gets 1.35 times the load that it had before.
/// </summary>
internal static class CircuitReleaseRules
{
    private const double Load = 1.35;

    // Afterwards the rate grows, so that a queue that new calls keep full comes to an end.
    private const double SteadySeconds = 20, GrowthPerSecond = 1.2;

    /// <summary>
    /// A release that is late by more than this is not made up for: after a stop of the process the calls would go all at once.
    /// </summary>
    internal static TimeSpan CatchUp => TimeSpan.FromMilliseconds(100);

    /// <summary>The time between two releases, in timestamp ticks; at least 1.</summary>
    /// <param name="pace">The time between attempts before the circuit opened, in timestamp ticks.</param>
    /// <param name="drainingSeconds">Since the first release.</param>
    internal static long Interval(long pace, double drainingSeconds) =>
        Math.Max(1, (long)(pace / Load / Math.Pow(GrowthPerSecond, Math.Max(0, drainingSeconds - SteadySeconds))));

    /// <summary>The pace when none was measured: that at which the waiting calls have arrived.</summary>
    internal static long PaceOf(long oldestArrival, int waiting, long now) => Math.Max(1, (now - oldestArrival) / Math.Max(1, waiting));

    /// <summary>Whether a call may wait for the circuit to close.</summary>
    /// <param name="state">That of the circuit; a break that is over counts as half-open.</param>
    /// <param name="openUntil">The end of the break.</param>
    /// <param name="length">The length of the break.</param>
    /// <param name="left">What the call has left to wait, in timestamp ticks.</param>
    /// <param name="latest">The timestamp at which the call must be sent.</param>
    internal static bool MayWait(
        CircuitPolicy policy, CircuitState state, long openUntil, long length, long left, long latest, long now) =>
        length <= policy.MaxWait && state switch
        {
            CircuitState.Open => openUntil - now <= left && openUntil < latest,
            CircuitState.HalfOpen => left > 0 && latest > now,
            _ => false,
        };
}
