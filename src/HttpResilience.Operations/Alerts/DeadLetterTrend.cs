namespace HttpResilience.Operations;

/// <summary>How many dead letters there were and how late they were, of late: what is usual. It has no clock.</summary>
internal sealed class DeadLetterTrend
{
    private const int MaxSamples = 100_000;

    private readonly List<Sample> _samples = [];

    internal Sample? Last => _samples.Count > 0 ? _samples[^1] : null;

    /// <param name="open">How many letters are pending, in progress, or wait for a person.</param>
    /// <param name="lag">For how long the longest due one has been due.</param>
    /// <param name="memory">Older samples are forgotten.</param>
    internal void Add(TimeSpan at, long open, TimeSpan lag, TimeSpan memory)
    {
        _samples.Add(new(at, open, lag));
        // One older than the window is kept: what there was when it began.
        int old = 0;
        while (old + 1 < _samples.Count && (_samples[old + 1].At <= at - memory || _samples.Count - old > MaxSamples))
            old++;
        _samples.RemoveRange(0, old);
    }

    /// <summary>
    /// How many more there are than a while ago; 0 when there were fewer at any time since, or there is no sample that old.
    /// </summary>
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

    /// <summary>The median lag of a while, up to the last sample, which is judged by it; but a minute at least.</summary>
    internal TimeSpan UsualLag(TimeSpan window)
    {
        TimeSpan[] lags = [.. _samples.SkipLast(1).Where(s => s.At > Last!.Value.At - window).Select(s => s.Lag).Order()];
        var median = lags.Length == 0 ? TimeSpan.Zero : lags[lags.Length / 2];
        return median > MinUsual ? median : MinUsual;
    }

    private static readonly TimeSpan MinUsual = TimeSpan.FromMinutes(1);

    internal readonly record struct Sample(TimeSpan At, long Open, TimeSpan Lag);
}
