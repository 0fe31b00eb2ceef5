namespace HttpResilience;

/// <summary>
/// An immutable snapshot of <see cref="CircuitBreakerOptions"/>. Durations are in ticks of the timestamps that the machine is given.
/// </summary>
internal sealed record CircuitPolicy
{
    internal required int FailureThreshold { get; init; }

    internal required double? FailureRatio { get; init; }

    internal required int MinimumThroughput { get; init; }

    /// <summary>The sampling duration is kept in this many parts; the oldest is forgotten as a whole.</summary>
    internal required long BucketLength { get; init; }

    internal required long BreakDuration { get; init; }

    internal required long MaxBreakDuration { get; init; }

    internal required int HalfOpenProbes { get; init; }

    internal required int SuccessThreshold { get; init; }

    /// <summary><see cref="long.MaxValue"/>: no attempt is slow.</summary>
    internal required long SlowCallDuration { get; init; }

    internal required double SlowCallRatio { get; init; }

    internal required CircuitIsolation Isolation { get; init; }

    /// <param name="frequency">Timestamp ticks per second.</param>
    internal static CircuitPolicy? From(CircuitBreakerOptions options, long frequency)
    {
        if (options.BreakDuration is not { } breakDuration
            || options is { FailureThreshold: null, FailureRatio: null, SlowCallDuration: null })
            return null;

        // Exact, and up: in floating point 1.001 s are 1000 ms, and the break would be short.
        long Ticks(TimeSpan duration) => (long)Math.Ceiling((decimal)duration.Ticks * frequency / TimeSpan.TicksPerSecond);
        return new()
        {
            FailureThreshold = options.FailureThreshold ?? int.MaxValue,
            FailureRatio = options.FailureRatio,
            MinimumThroughput = options.MinimumThroughput,
            BucketLength = Math.Max(1, Ticks(options.SamplingDuration) / FailureWindow.Buckets),
            BreakDuration = Ticks(breakDuration),
            MaxBreakDuration = Math.Max(Ticks(options.MaxBreakDuration ?? breakDuration), Ticks(breakDuration)),
            HalfOpenProbes = options.HalfOpenProbes,
            SuccessThreshold = options.SuccessThreshold,
            SlowCallDuration = options.SlowCallDuration is { } slow ? Ticks(slow) : long.MaxValue,
            SlowCallRatio = options.SlowCallRatio,
            Isolation = options.Isolation,
        };
    }
}
