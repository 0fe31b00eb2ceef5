namespace HttpResilience.Operations;

/// <summary>Counts in buckets of one length, of which the oldest is forgotten when a new one begins. Not safe for many threads.</summary>
/// <param name="bucketLength">In seconds.</param>
internal sealed class BucketRing(long bucketLength, int buckets)
{
    private readonly BudgetCount[] _counts = new BudgetCount[buckets];
    private long _newest;

    internal long Length { get; } = bucketLength * buckets;

    /// <summary>Time has gone on.</summary>
    internal void MoveTo(long second)
    {
        long period = second / bucketLength;
        for (long next = Math.Max(_newest, period - buckets) + 1; next <= period; next++)
            _counts[At(next)] = default;
        _newest = Math.Max(_newest, period);
    }

    /// <summary>The clock was wrong: what was counted keeps its age, and goes by the new time.</summary>
    internal void Relabel(long second)
    {
        long period = second / bucketLength;
        var before = (BudgetCount[])_counts.Clone();
        for (long age = 0; age < buckets; age++)
            _counts[At(period - age)] = before[At(_newest - age)];
        _newest = period;
    }

    /// <summary>Adds to what was counted at a time; what is too old is left out, and what is yet to come belongs to now.</summary>
    internal void Add(long second, BudgetCount count)
    {
        long period = Math.Min(second / bucketLength, _newest);
        if (_newest - period < buckets)
            _counts[At(period)] += count;
    }

    /// <summary>The sum of the newest buckets in a window, including the current, incomplete one.</summary>
    internal BudgetCount Sum(long windowLength)
    {
        long wanted = Math.Clamp((windowLength + bucketLength - 1) / bucketLength, 1, buckets);
        var sum = default(BudgetCount);
        for (long age = 0; age < wanted; age++)
            sum += _counts[At(_newest - age)];
        return sum;
    }

    // Times before 1970 are a clock that has not been set, and no reason to fail.
    private long At(long period) => ((period % buckets) + buckets) % buckets;
}
