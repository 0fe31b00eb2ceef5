namespace HttpResilience;

/// <summary>One quota, as a response reports it.</summary>
/// <param name="Name">The name of the quota, or of its field.</param>
/// <param name="Remaining">The units that are left.</param>
internal readonly record struct QuotaReport(string Name, decimal Remaining)
{
    /// <summary>The units of a whole window, or of a full bucket; null when unknown.</summary>
    internal decimal? Limit { get; init; }

    /// <summary>
    /// The time until the reset, or until the bucket is full again. Null when the API does not report it; zero when it has passed or cannot
    /// be read.
    /// </summary>
    internal TimeSpan? Reset { get; init; }

    /// <summary>The part of the API or of its callers that the quota belongs to; null for all of it.</summary>
    internal string? Part { get; init; }

    /// <summary>How long a window is, or an empty bucket takes to fill; null when unknown.</summary>
    internal TimeSpan? Window { get; init; }

    internal QuotaKind Kind { get; init; }

    /// <summary>All tenants share it.</summary>
    internal bool IsOfHost { get; init; }

    /// <summary>A call may use more than one unit.</summary>
    internal bool CostVaries { get; init; }

    internal bool IsUsedUp => Remaining <= 0;

    /// <summary>The time until a quota that is used up has a rest again; null when it has one, or the time is unknown.</summary>
    internal TimeSpan? ClosedFor => !IsUsedUp ? null : (Reset, Window) switch
    {
        ({ } reset, _) => reset > TimeSpan.Zero ? reset : null,
        (null, { } window) when Kind is QuotaKind.Refill && Limit >= 1 =>
            TimeSpan.FromTicks((long)decimal.Ceiling(window.Ticks / Limit.Value)),
        (null, { } window) when Kind is QuotaKind.Rolling => window,
        _ => null,
    };
}

/// <summary>How used units come back.</summary>
internal enum QuotaKind
{
    /// <summary>All at once, when the window ends.</summary>
    Window,

    /// <summary>Evenly: a token bucket that is filled, or a leaky bucket that drains.</summary>
    Refill,

    /// <summary>Each a window after it was used.</summary>
    Rolling,
}
