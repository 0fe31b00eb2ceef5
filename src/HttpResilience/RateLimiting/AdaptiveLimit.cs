namespace HttpResilience;

/// <summary>
/// The limit of concurrent attempts to one host, which finds itself. Attempts are measured in windows, and each may change the limit: it
/// falls when attempts are lost to overload or their latency is well above that without a queue, and grows while attempts need it.
/// </summary>
/// <remarks>
/// By Little's law a host without a queue holds throughput × latency attempts; more only wait there. So a cut for latency aims a little
/// below the concurrency that has no queue: the window after it measures that latency again, however long the overload lasts. A cut that
/// does not help shows that the host has become slower by itself: it is undone, and the higher latency counts as the usual one. Not
/// thread-safe. It has no clock: attempts that began under an earlier limit are known by its number.
/// </remarks>
internal sealed class AdaptiveLimit
{
    private const int Start = 20;
    private const int MinWindow = 40;
    private const int MaxWindow = 200;
    private const int WindowInLimits = 4;
    // One in twenty may be lost to other causes.
    private const int LossesInWindow = 20;
    private const double AfterLoss = 0.9;
    private const double BelowQueue = 0.95;
    private const double DeepestCut = 0.5;
    private const double InUse = 0.8;
    // A cut that takes a quarter of the concurrency and a fifteenth of a latency that was all queue has not helped.
    private const double Helpless = 0.75;
    // Doubled with each further cut in a row that has not helped.
    private const double TowardSlow = 0.25;
    private const double TowardFast = 0.3;
    private const double Drift = 1.0 / 200;
    private static readonly double Queueing = Math.Log(1.4);
    private static readonly double Unhelped = Math.Log(0.85);

    private double _limit = Start;
    private bool _hasCut;
    private Latency _usual;
    private Latency _beforeCut;
    private double _limitBeforeCut;
    private int _inFlightBeforeCut;
    private int _undone;

    private int _answered;
    private int _lost;
    private int _maxInFlight;
    private double _sum;
    private double _logs;
    private double _squares;

    /// <summary>The number of the present limit, from 1 on; an attempt is measured under the number with which it began.</summary>
    internal int Number { get; private set; } = 1;

    /// <summary>The mean latency of the last window, in timestamp ticks; 0 before the first.</summary>
    internal double MeanLatency { get; private set; }

    internal int Of(ConcurrencyPolicy policy) => (int)Math.Clamp(_limit, policy.MinLimit, policy.MaxLimit);

    /// <summary>Counts an attempt that has ended.</summary>
    /// <param name="number">The number with which it began.</param>
    /// <param name="inFlight">The attempts in flight, with this one.</param>
    /// <param name="latency">In timestamp ticks.</param>
    internal void Count(ConcurrencyPolicy policy, int number, int inFlight, long latency, LoadSign sign)
    {
        // Its latency, or its loss, is due to an earlier limit.
        if (number != Number || sign is LoadSign.None)
            return;
        _maxInFlight = Math.Max(_maxInFlight, inFlight);
        if (sign is LoadSign.Overloaded)
        {
            _lost++;
        }
        else
        {
            // A clock that was set back must not make a logarithm infinite.
            double ticks = Math.Max(1, latency);
            double log = Math.Log(ticks);
            _answered++;
            _sum += ticks;
            _logs += log;
            _squares += log * log;
        }

        // Whether a cut has helped must be known soon: attempts may wait for nothing.
        int inLimits = _limitBeforeCut > 0 ? WindowInLimits / 2 : WindowInLimits;
        int window = Math.Clamp(inLimits * Of(policy), MinWindow, MaxWindow);
        bool isLossy = _lost > window / LossesInWindow;
        if (isLossy || _answered + _lost >= window)
            EndWindow(policy, isLossy);
    }

    private void EndWindow(ConcurrencyPolicy policy, bool isLossy)
    {
        double limit = Of(policy);
        if (isLossy)
        {
            // Far above what is in flight it says nothing about the limit; it comes down step by step.
            Cut(policy, limit * AfterLoss);
            _limitBeforeCut = 0;
        }
        else
        {
            MeanLatency = _sum / _answered;
            Learn(policy, limit, new(_logs / _answered, Math.Log(MeanLatency)));
        }

        Number = Number == int.MaxValue ? 1 : Number + 1;
        (_answered, _lost, _maxInFlight, _sum, _logs, _squares) = (0, 0, 0, 0, 0, 0);
    }

    private void Learn(ConcurrencyPolicy policy, double limit, Latency latency)
    {
        bool isFirst = _usual == default;
        if (isFirst)
            _usual = latency;
        if (_limitBeforeCut > 0 && latency.Typical > _beforeCut.Typical + Unhelped && _maxInFlight <= Helpless * _inFlightBeforeCut)
        {
            // It grows as at first: there is no queue at the host.
            (_limit, _limitBeforeCut, _hasCut) = (Math.Max(limit, _limitBeforeCut), 0, false);
            double part = Math.Min(1, TowardSlow * (1 << _undone));
            _undone = Math.Min(_undone + 1, 2);
            _usual = _usual.Toward(latency, part, part);
            return;
        }

        if (_limitBeforeCut > 0)
            (_limitBeforeCut, _undone) = (0, 0);
        _usual = _usual.Toward(latency, up: Drift, down: TowardFast);
        // The error of the mean: where latencies differ much, more is needed to say that they have become longer.
        double mean = _logs / _answered;
        double error = Math.Sqrt(Math.Max(0, _squares / _answered - mean * mean) / _answered);
        if (latency.Typical - 2 * error > _usual.Typical + Queueing)
            CutForLatency(policy, limit, latency);
        else if (_maxInFlight >= InUse * limit && _lost == 0)
            _limit = Math.Min(policy.MaxLimit, _hasCut ? limit + Math.Max(1, Math.Sqrt(limit) / 2) : limit * 2);
    }

    private void CutForLatency(ConcurrencyPolicy policy, double limit, Latency latency)
    {
        double inFlight = Math.Min(limit, _maxInFlight);
        // So few cannot be what makes the host slow.
        if (inFlight <= policy.MinLimit)
        {
            _usual = _usual.Toward(latency, TowardSlow, TowardSlow);
            return;
        }

        (_limitBeforeCut, _inFlightBeforeCut, _beforeCut) = (limit, _maxInFlight, latency);
        Cut(policy, inFlight * Math.Max(DeepestCut, BelowQueue * Math.Exp(Math.Min(0, _usual.Mean - latency.Mean))));
    }

    private void Cut(ConcurrencyPolicy policy, double to) => (_limit, _hasCut) = (Math.Max(policy.MinLimit, to), true);

    /// <summary>The latencies of a window, as logarithms.</summary>
    /// <param name="Typical">Of the geometric mean, which a few slow answers hardly change: it shows a queue.</param>
    /// <param name="Mean">Of the mean, which the concurrency is proportional to.</param>
    private readonly record struct Latency(double Typical, double Mean)
    {
        internal Latency Toward(Latency other, double up, double down) => new(
            Toward(Typical, other.Typical, up, down), Toward(Mean, other.Mean, up, down));

        private static double Toward(double from, double to, double up, double down) => from + (to - from) * (to > from ? up : down);
    }
}
