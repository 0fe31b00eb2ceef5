using System.Numerics;

namespace HttpResilience;

/// <summary>
/// The latencies of a host in the last minutes, and the delays that follow from them. A histogram whose steps grow by an eighth of an
/// octave: a quantile is at most an eighth too long.
/// </summary>
/// <remarks>
/// A request that was cancelled counts with the time that it had: it was at least as slow as that, and keeps its place among the slowest.
/// </remarks>
/// <param name="frequency">Timestamp ticks per second.</param>
internal sealed class LatencyWindow(long frequency)
{
    /// <summary>The delay of hedging is learned from so many latencies on.</summary>
    internal const int MinForHedging = 100;

    /// <summary>The timeout of an attempt is learned from so many latencies on.</summary>
    internal const int MinForTimeout = 1000;

    /// <summary>At most this fraction of the requests is sent a second time for being slow.</summary>
    internal const double MaxHedgeRatio = 0.05;

    private const double HedgeQuantile = 0.95;
    private const double TimeoutQuantile = 0.999;

    // An attempt is not ended for a pause of this process or of the network.
    private const double TimeoutFactor = 3;
    private const double MinTimeoutSeconds = 1;

    // From 64 µs to 36 minutes.
    private const int FirstOctave = 6;
    private const int Octaves = 25;
    private const int StepsOfOctave = 8;

    private const int ComputedEvery = 32;
    private const int MinInWindow = 1000;
    private const int HedgeCost = (int)(1 / MaxHedgeRatio);
    private const int MaxHedgesAtOnce = 10;

    private readonly long _minLength = 60 * frequency;
    private readonly long _maxLength = 600 * frequency;
    private readonly Lock _gate = new();
    private int[] _now = new int[Octaves * StepsOfOctave];
    private int[] _before = new int[Octaves * StepsOfOctave];
    private int _countNow;
    private int _countBefore;
    private int _untilComputed = MinForHedging;
    private long _beganAt = long.MinValue;
    private int _hedgeCredit = HedgeCost * MaxHedgesAtOnce;
    private long _hedgeDelay = -1;
    private long _timeout = -1;

    /// <summary>How long a request may take before another one is sent, in timestamp ticks: p95; null until it is known.</summary>
    internal long? HedgeDelay => Volatile.Read(ref _hedgeDelay) is >= 0 and var delay ? delay : null;

    /// <summary>How long an attempt may take, in timestamp ticks: a multiple of p99.9; null until it is known.</summary>
    internal long? Timeout => Volatile.Read(ref _timeout) is >= 0 and var timeout ? timeout : null;

    /// <summary>Adds the latency of a request.</summary>
    /// <param name="ticks">In timestamp ticks.</param>
    /// <param name="now">The timestamp at which the request ended.</param>
    internal void Add(long ticks, long now)
    {
        lock (_gate)
        {
            if (_beganAt == long.MinValue)
                _beganAt = now;
            if ((now - _beganAt >= _minLength && _countNow >= MinInWindow) || now - _beganAt >= _maxLength)
                Turn(now);
            _now[StepOf(ticks)]++;
            _countNow++;
            if (--_untilComputed > 0)
                return;
            _untilComputed = ComputedEvery;
            Compute();
        }
    }

    /// <summary>Counts a request that is not sent beside another one: so many of those may be sent.</summary>
    internal void CountRequest()
    {
        lock (_gate)
            _hedgeCredit = Math.Min(_hedgeCredit + 1, HedgeCost * MaxHedgesAtOnce);
    }

    /// <summary>Takes a request beside a slow one from what is allowed.</summary>
    internal bool TryHedge()
    {
        lock (_gate)
        {
            if (_hedgeCredit < HedgeCost)
                return false;
            _hedgeCredit -= HedgeCost;
            return true;
        }
    }

    private void Turn(long now)
    {
        (_before, _now) = (_now, _before);
        Array.Clear(_now);
        (_countBefore, _countNow, _beganAt) = (_countNow, 0, now);
    }

    private void Compute()
    {
        int count = _countNow + _countBefore;
        if (count >= MinForHedging)
        {
            // At a step of the distribution, as 5 % that are slow, the quantile of a sample is on one side of it or on the other: two
            // standard deviations keep it on that of the fast ones. MaxHedgeRatio bounds what that costs.
            double slack = 2 * Math.Sqrt(HedgeQuantile * (1 - HedgeQuantile) / count);
            Volatile.Write(ref _hedgeDelay, Quantile(HedgeQuantile - slack, count));
        }

        if (count >= MinForTimeout)
        {
            long timeout = (long)(Quantile(TimeoutQuantile, count) * TimeoutFactor);
            Volatile.Write(ref _timeout, Math.Max(timeout, (long)(MinTimeoutSeconds * frequency)));
        }
    }

    // The upper end of the step that has it.
    private long Quantile(double quantile, int count)
    {
        long rank = (long)Math.Ceiling(quantile * count);
        int step = 0;
        for (long seen = 0; step < _now.Length - 1; step++)
        {
            seen += _now[step] + _before[step];
            if (seen >= rank)
                break;
        }

        var (octave, part) = Math.DivRem(step, StepsOfOctave);
        double microseconds = Math.ScaleB(1 + (part + 1.0) / StepsOfOctave, octave + FirstOctave);
        return (long)(microseconds * frequency / 1e6);
    }

    private int StepOf(long ticks)
    {
        double microseconds = ticks * 1e6 / frequency;
        if (!(microseconds >= 1 << FirstOctave))
            return 0;
        if (microseconds >= Math.ScaleB(1, FirstOctave + Octaves))
            return _now.Length - 1;
        ulong whole = (ulong)microseconds;
        int octave = BitOperations.Log2(whole);
        int part = (int)(whole >> (octave - 3)) & (StepsOfOctave - 1);
        return ((octave - FirstOctave) * StepsOfOctave) + part;
    }
}
