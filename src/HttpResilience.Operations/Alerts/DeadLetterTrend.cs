namespace HttpResilience.Operations;

/// <summary>The recent numbers and lags of dead letters, which show the usual values. It has no clock.</summary>
internal sealed class DeadLetterTrend
{
    private const int MaxSamples = 100_000;

    private readonly List<Sample> _samples = [];

    internal Sample? Last => _samples.Count > 0 ? _samples[^1] : null;

    /// <param name="open">How many letters are pending, in progress, or wait for a person.</param>
    /// <param name="lag">The time since the oldest due letter became due.</param>
    /// <param name="memory">Older samples are forgotten.</param>
    internal void Add(TimeSpan at, long open, TimeSpan lag, TimeSpan memory)
    {
        _samples.Add(new(at, open, lag));
        // One sample older than the window is kept: the value at its start.
        int old = 0;
        while (old + 1 < _samples.Count && (_samples[old + 1].At <= at - memory || _samples.Count - old > MaxSamples))
            old++;
        _samples.RemoveRange(0, old);
    }

    /// <summary>The growth over a time; 0 when there were fewer letters at any time since, or there is no sample that old.</summary>
    internal long Growth(TimeSpan window)
    {
        if (Last is not { } last)
            return 0;
        int first = _samples.FindLastIndex(s => s.At <= last.At - window);
        if (first < 0)
            return 0;
        long before = _samples[first].Open;
        for (int i = first; i < _samples.Count; i++)
        {
            if (_samples[i].Open < before)
                return 0;
        }

        return last.Open - before;
    }

    /// <summary>The median lag over a time, without the last sample, which is compared with it; at least a minute.</summary>
    internal TimeSpan UsualLag(TimeSpan window)
    {
        TimeSpan[] lags = [.. _samples.SkipLast(1).Where(s => s.At > Last!.Value.At - window).Select(s => s.Lag).Order()];
        var median = lags.Length == 0 ? TimeSpan.Zero : lags[lags.Length / 2];
        return median > MinUsual ? median : MinUsual;
    }

    private static readonly TimeSpan MinUsual = TimeSpan.FromMinutes(1);

    internal readonly record struct Sample(TimeSpan At, long Open, TimeSpan Lag);
}
