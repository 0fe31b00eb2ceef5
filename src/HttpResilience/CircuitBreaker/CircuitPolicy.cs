namespace HttpResilience;

/// <summary>
/// An immutable snapshot of <see cref="CircuitBreakerOptions"/>. Durations are in ticks of the timestamps that the machine is given.
/// </summary>
internal sealed record CircuitPolicy
{
    internal required int FailureThreshold { get; init; }

    /// <summary>Null: every failure counts.</summary>
    internal required long? FailureDuration { get; init; }

    internal required double? FailureRatio { get; init; }

    internal required int MinimumThroughput { get; init; }

    internal required TimeSpan SamplingDuration { get; init; }

    /// <summary>A ratio of failures or of slow attempts in the sampling duration opens the circuit.</summary>
    internal bool CountsRatio => FailureRatio is not null || SlowCallDuration != long.MaxValue;

    /// <summary>The sampling duration is kept in this many parts; the oldest is forgotten as a whole.</summary>
    internal required long BucketLength { get; init; }

    internal required long BreakDuration { get; init; }

    internal required long MaxBreakDuration { get; init; }

    /// <summary>The circuit lets every call through.</summary>
    internal required bool OnlyObserves { get; init; }

    /// <summary>Null: no call waits for the circuit.</summary>
    internal required long? MaxWait { get; init; }

    internal required int MaxWaiting { get; init; }

    /// <summary>A probe that has not ended for this time, or for the length of the break, lets another one go.</summary>
    internal required long ProbePatience { get; init; }

    /// <summary>The start of the latest success is noted in steps of this: 1 ms.</summary>
    internal required long SuccessStep { get; init; }

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

        long ToTicks(TimeSpan duration) => Ticks.Of(duration, frequency);
        return new()
        {
            FailureThreshold = options.FailureThreshold ?? int.MaxValue,
            FailureDuration = options.FailureDuration is { } row ? ToTicks(row) : null,
            FailureRatio = options.FailureRatio,
            MinimumThroughput = options.MinimumThroughput,
            SamplingDuration = options.SamplingDuration,
            BucketLength = Math.Max(1, ToTicks(options.SamplingDuration) / FailureWindow.Buckets),
            BreakDuration = ToTicks(breakDuration),
            MaxBreakDuration = Math.Max(ToTicks(options.MaxBreakDuration ?? breakDuration), ToTicks(breakDuration)),
            MaxWait = options.MaxWait is { } wait ? ToTicks(wait) : null,
            MaxWaiting = options.MaxWaiting,
            OnlyObserves = options.Mode is CircuitMode.Observe,
            ProbePatience = options.MaxWait is null ? long.MaxValue : ToTicks(TimeSpan.FromSeconds(1)),
            SuccessStep = Math.Max(1, ToTicks(TimeSpan.FromMilliseconds(1))),
            HalfOpenProbes = options.HalfOpenProbes,
            SuccessThreshold = options.SuccessThreshold,
            SlowCallDuration = options.SlowCallDuration is { } slow ? ToTicks(slow) : long.MaxValue,
            SlowCallRatio = options.SlowCallRatio,
            Isolation = options.Isolation,
        };
    }
}
