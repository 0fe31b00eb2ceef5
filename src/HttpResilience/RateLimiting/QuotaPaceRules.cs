namespace HttpResilience;

/// <summary>Decides when the next call may start, so that a quota lasts until it is filled again.</summary>
internal static class QuotaPaceRules
{
    /// <summary>The earliest start of the next call. Timestamps are arguments and results.</summary>
    internal static long Earliest(in QuotaStanding quota, long now) => quota.Kind switch
    {
        QuotaKind.Refill => OfBucket(quota, now),
        QuotaKind.Rolling => OfRolling(quota, now),
        _ => OfWindow(quota, now),
    };

    private static long OfWindow(in QuotaStanding quota, long now)
    {
        if (quota.ResetAt <= now)
            return now;
        // Those that have a start already take all of this window.
        if (quota.Last >= quota.ResetAt)
            return Later(quota.Last, quota.Length * quota.Cost / quota.Limit);
        if (quota.Left < quota.Need)
            return quota.ResetAt;
        double calls = Math.Floor((quota.Left - quota.Need) / quota.Cost) + 1;
        long from = Math.Max(quota.Last, now);
        return quota.Last == QuotaStanding.NoStart ? now : Math.Max(now, Later(quota.Last, (quota.ResetAt - from) / (calls + 1)));
    }

    // What is left is used up in the time in which an empty bucket fills, and what comes back meanwhile too.
    private static long OfBucket(in QuotaStanding quota, long now)
    {
        if (quota.Length <= 0)
            return now;
        double rate = quota.Limit / quota.Length;
        double free = Math.Max(0, quota.Left - quota.Need);
        long start = quota.Last == QuotaStanding.NoStart ? now
            : Math.Max(now, Later(quota.Last, quota.Cost / (rate * (1 + free / quota.Limit))));
        return quota.Left < quota.Need ? Math.Max(start, Later(now, (quota.Need - quota.Left) / rate)) : start;
    }

    private static long OfRolling(in QuotaStanding quota, long now)
    {
        if (quota.Length <= 0)
            return now;
        long start = quota.Last == QuotaStanding.NoStart ? now
            : Math.Max(now, Later(quota.Last, quota.Length * quota.Cost / quota.Limit));
        return quota.Left < quota.Need ? Math.Max(start, quota.NextReturn) : start;
    }

    /// <summary>Rounded up; the end of time when it is later than that.</summary>
    internal static long Later(long timestamp, double ticks) =>
        ticks < long.MaxValue - (double)Math.Max(0, timestamp) - 1024 ? timestamp + (long)Math.Ceiling(ticks) : long.MaxValue;
}

/// <summary>How a quota stands. Timestamps and lengths are in ticks of the clock.</summary>
internal readonly record struct QuotaStanding
{
    /// <summary>The value of <see cref="Last"/> when there is none.</summary>
    internal const long NoStart = long.MinValue;

    internal QuotaKind Kind { get; init; }

    /// <summary>The units of a window, or of a full bucket; more than 0.</summary>
    internal double Limit { get; init; }

    /// <summary>The units that are left when the calls under way, and those that have a start, have used theirs.</summary>
    internal double Left { get; init; }

    /// <summary>The units that a call uses; more than 0.</summary>
    internal double Cost { get; init; }

    /// <summary>The units that must be left, as one call may use more than another.</summary>
    internal double Need { get; init; }

    /// <summary>The end of the window.</summary>
    internal long ResetAt { get; init; }

    /// <summary>How long a window is, or an empty bucket takes to fill.</summary>
    internal long Length { get; init; }

    /// <summary>The latest start that a call was given.</summary>
    internal long Last { get; init; }

    /// <summary>When enough units have come back (<see cref="QuotaKind.Rolling"/>).</summary>
    internal long NextReturn { get; init; }
}
