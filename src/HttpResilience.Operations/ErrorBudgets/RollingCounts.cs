namespace HttpResilience.Operations;

/// <summary>
/// The counts of the last 90 days, in bounded memory: by the minute for an hour, by 5 minutes for 6 hours, by the hour for 3 days, by 6
/// hours for the rest. Times are in seconds since 1970. Not thread-safe.
/// </summary>
internal sealed class RollingCounts
{
    /// <summary>A count up to this late comes from a slow thread; a later one means that the clock was set back.</summary>
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
    /// The counts of a window that ends now, from the finest buckets that reach that far. It includes the current, incomplete bucket, so it
    /// covers up to one bucket less than the window, and never more.
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
