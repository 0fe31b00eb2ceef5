namespace HttpResilience.Operations;

/// <summary>
/// The arithmetic of error budgets. A burn rate is how many times faster than allowed calls fail: at 1 the budget lasts just as long as
/// its window. Source: Google SRE Workbook, chapter 5 (Alerting on SLOs, multiwindow, multi-burn-rate).
/// </summary>
internal static class BurnRates
{
    /// <summary>
    /// Fewer failures than this are no reason for an alert or a pause: one failure in an hour of little traffic says nothing.
    /// </summary>
    internal const int MinFailures = 5;

    /// <summary>2 % of a month's budget in an hour, 5 % in 6 hours, 10 % in 3 days; the short window shows that it goes on.</summary>
    internal static IReadOnlyList<BurnRatePair> Pairs { get; } =
    [
        new(TimeSpan.FromHours(1), TimeSpan.FromMinutes(5), 14.4),
        new(TimeSpan.FromHours(6), TimeSpan.FromMinutes(30), 6),
        new(TimeSpan.FromDays(3), TimeSpan.FromHours(6), 1),
    ];

    /// <summary>The windows of <see cref="Pairs"/>, as metrics name them.</summary>
    internal static IReadOnlyList<(string Name, TimeSpan Window)> Windows { get; } =
    [
        ("5m", TimeSpan.FromMinutes(5)), ("30m", TimeSpan.FromMinutes(30)), ("1h", TimeSpan.FromHours(1)), ("6h", TimeSpan.FromHours(6)),
            ("3d", TimeSpan.FromDays(3)),
    ];

    /// <summary>Failure ratio over what is allowed; 0 when there were no calls.</summary>
    /// <param name="allowed">The share of calls that may fail.</param>
    internal static double Of(BudgetCount count, double allowed) => count.Calls == 0 ? 0 : count.Failures / (count.Calls * allowed);

    /// <summary>Whether both windows of a pair burn faster than its rate.</summary>
    internal static bool IsBurning(BurnRatePair pair, BudgetCount inLong, BudgetCount inShort, double allowed) =>
        inLong.Failures >= MinFailures && Of(inLong, allowed) > pair.Rate && Of(inShort, allowed) > pair.Rate;

    /// <summary>The state of a budget by its window.</summary>
    internal static ErrorBudgetState StateOf(BudgetCount inWindow, double allowed) => Of(inWindow, allowed) switch
    {
        _ when inWindow.Failures < MinFailures => ErrorBudgetState.Quiet,
        > 2 => ErrorBudgetState.Exceeded,
        > 1 => ErrorBudgetState.Heightened,
        _ => ErrorBudgetState.Quiet,
    };

    /// <summary>Whether the integration is paused for what has failed.</summary>
    /// <param name="judged">The counts of the window, since the last resume at most.</param>
    internal static bool IsPause(BudgetCount judged, ErrorBudgetPolicy policy) =>
        judged.Failures >= MinFailures && Of(judged, policy.Allowed) > (policy.PauseAtBurn ?? double.PositiveInfinity);
}

/// <summary>A long window, a short one, and the burn rate that is too fast in both.</summary>
internal sealed record BurnRatePair(TimeSpan Long, TimeSpan Short, double Rate);

/// <summary>Calls that ended, and those among them that failed.</summary>
internal readonly record struct BudgetCount(long Calls, long Failures)
{
    internal static BudgetCount Of(ErrorBudgetCount kept) => new(kept.Calls, CallOutcome.IsFailure(kept.FailureClass) ? kept.Calls : 0);

    public static BudgetCount operator +(BudgetCount a, BudgetCount b) => new(a.Calls + b.Calls, a.Failures + b.Failures);

    public static BudgetCount operator -(BudgetCount a, BudgetCount b) => new(a.Calls - b.Calls, a.Failures - b.Failures);
}
