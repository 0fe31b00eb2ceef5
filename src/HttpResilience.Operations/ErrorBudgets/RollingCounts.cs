namespace HttpResilience.Operations;

/// <summary>
/// What was counted in the last 90 days, in memory that does not grow: by the minute for an hour, by 5 minutes for 6 hours, by the hour
/// for 3 days, by 6 hours for the rest. Times are in seconds since 1970. Not safe for many threads.
/// </summary>
internal sealed class RollingCounts
{
    /// <summary>What comes this much too late is a thread that was slow; more, and it was the clock that was set back.</summary>
    private const long Tolerance = 120;

    private readonly BucketRing[] _rings = [new(60, 60), new(300, 72), new(3600, 72), new(21_600, 360)];
    private long _newest;

    /// <summary>How far back it goes.</summary>
    internal static TimeSpan Length { get; } = TimeSpan.FromDays(90);

    /// <summary>The time has come to this.</summary>
    internal void MoveTo(long second)
    {
        if (second >= _newest)
        {
            foreach (var ring in _rings)
                ring.MoveTo(second);
        }
        else if (second < _newest - Tolerance)
        {
            foreach (var ring in _rings)
                ring.Relabel(second);
        }
        else
        {
            return;
        }

        _newest = second;
    }

    /// <summary>Adds what was counted now.</summary>
    internal void Add(BudgetCount count) => Add(_newest, count);

    /// <summary>Adds what was counted at another time.</summary>
    internal void Add(long second, BudgetCount count)
    {
        foreach (var ring in _rings)
            ring.Add(second, count);
    }

    /// <summary>
    /// What was counted in a window that ends now, from the finest buckets that reach as far. The bucket under way is one of those that
    /// make up the window: it covers up to a bucket's length less than was asked for, and never more.
    /// </summary>
    internal BudgetCount Sum(TimeSpan window)
    {
        long length = (long)Math.Ceiling(window.TotalSeconds);
        foreach (var ring in _rings)
        {
            if (length <= ring.Length)
                return ring.Sum(length);
        }

        return _rings[^1].Sum(length);
    }
}
