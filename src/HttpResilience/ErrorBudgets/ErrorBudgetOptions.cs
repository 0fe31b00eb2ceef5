namespace HttpResilience;

/// <summary>
/// How many of a client's calls may fail, and over what time. Section <c>ErrorBudget</c>. The budget is what the objective leaves: with
/// 0.999, one call in a thousand. Failures are calls that ended, after their retries, as Transient, ServerError, RateLimited,
/// Authentication or Authorization, even when a stale response was returned; cancelled calls and replayed responses are not counted.
/// Source: Google SRE Workbook, chapter 5.
/// </summary>
public sealed class ErrorBudgetOptions
{
    /// <summary>The share of calls that must not fail. 0.5 to 0.99999; default 0.999.</summary>
    public double Objective { get; set; } = 0.999;

    /// <summary>The time over which the objective holds. 1 hour to 90 days; default 30 days.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// How much of the budget must be used up for the integration to be paused: calls fail at once (<see
    /// cref="IntegrationPausedException"/>) until a probe succeeds, or an operator resumes it (<c>IErrorBudgets.ResumeAsync</c>). 2 is 200
    /// % of the budget. Fewer than 5 failures pause nothing. Null (never), or 1 to 1000; default null.
    /// </summary>
    public double? PauseAtBurn { get; set; }

    internal static OptionKeys<ErrorBudgetOptions> Keys => new OptionKeys<ErrorBudgetOptions>()
        .Number(nameof(Objective), o => o.Objective, (o, v) => o.Objective = v, 0.5, 0.99999)
        .Duration(nameof(Window), o => o.Window, (o, v) => o.Window = v, TimeSpan.FromHours(1), TimeSpan.FromDays(90))
        .OptionalNumber(nameof(PauseAtBurn), o => o.PauseAtBurn, (o, v) => o.PauseAtBurn = v, 1, 1000);
}
