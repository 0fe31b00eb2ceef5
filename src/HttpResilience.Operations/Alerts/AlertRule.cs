namespace HttpResilience.Operations;

/// <summary>One rule in force.</summary>
/// <param name="Client">Null: each client separately.</param>
internal sealed record AlertRule(AlertRuleType Type, string? Client, double Threshold, TimeSpan Window, TimeSpan CoolDown,
    AlertSeverity Severity)
{
    /// <summary>A name in configuration is found in any case, as its keys are.</summary>
    internal bool AppliesTo(string clientName) => Client is null || Client.Equals(clientName, StringComparison.OrdinalIgnoreCase);

    internal bool IsAboutCalls => Type is AlertRuleType.ConsecutiveFailures or AlertRuleType.FailuresInWindow
        or AlertRuleType.TenantFailing or AlertRuleType.CircuitOpened;

    /// <summary>The rules that the options describe: one, or the three of burn rates.</summary>
    internal static IEnumerable<AlertRule> From(AlertRuleOptions options)
    {
        var type = options.Type!.Value;
        if (type is AlertRuleType.ErrorBudgetBurn && options is { Threshold: null, Window: null })
            return BurnRates.Pairs.Select(p =>
                new AlertRule(type, options.Client, p.Rate, p.Long, options.CoolDown ?? CoolDownOf(type, p.Long),
                    options.Severity ?? SeverityOf(p)));
        var shape = AlertRuleShape.Of(type);
        return [new(type, options.Client, options.Threshold ?? shape.Threshold, options.Window ?? shape.Window,
            options.CoolDown ?? CoolDownOf(type, options.Window ?? shape.Window), options.Severity ?? shape.Severity)];
    }

    private static TimeSpan CoolDownOf(AlertRuleType type, TimeSpan window) => type switch
    {
        AlertRuleType.ErrorBudgetSpent => TimeSpan.FromDays(1),
        AlertRuleType.ErrorBudgetBurn when window / 12 > TimeSpan.FromHours(1) => window / 12,
        _ => TimeSpan.FromHours(1),
    };

    // A budget that burns over days can wait until tomorrow.
    private static AlertSeverity SeverityOf(BurnRatePair pair) => pair.Rate > 1 ? AlertSeverity.Critical : AlertSeverity.Warning;
}

/// <summary>The defaults of a rule type.</summary>
/// <param name="Min">The least threshold; null when the type has none.</param>
/// <param name="Max">The greatest threshold.</param>
/// <param name="IsCount">The threshold is a whole number.</param>
/// <param name="Threshold">The default threshold.</param>
/// <param name="Window">The default window; zero when the type has none.</param>
/// <param name="Severity">The default severity.</param>
internal sealed record AlertRuleShape(double? Min, double Max, bool IsCount, double Threshold, TimeSpan Window, AlertSeverity Severity)
{
    private static readonly TimeSpan FiveMinutes = TimeSpan.FromMinutes(5);

    internal static AlertRuleShape Of(AlertRuleType type) => type switch
    {
        AlertRuleType.ConsecutiveFailures => new(1, 1_000_000, true, 5, TimeSpan.Zero, AlertSeverity.Warning),
        AlertRuleType.FailuresInWindow => new(1, 1000, true, 5, FiveMinutes, AlertSeverity.Warning),
        AlertRuleType.TenantFailing => new(1, 1000, true, 5, FiveMinutes, AlertSeverity.Warning),
        AlertRuleType.ErrorClassSinceDeployment => new(1, 1000, false, 3, TimeSpan.Zero, AlertSeverity.Warning),
        AlertRuleType.DeadLetters => new(0, 1_000_000, true, 100, TimeSpan.Zero, AlertSeverity.Warning),
        AlertRuleType.DeadLettersGrowing => new(1, 1_000_000, true, 20, TimeSpan.FromHours(1), AlertSeverity.Warning),
        AlertRuleType.ReplayLag => new(1, 1000, false, 2, TimeSpan.FromDays(1), AlertSeverity.Warning),
        AlertRuleType.BatchStalled => new(1, 1000, false, 2, TimeSpan.Zero, AlertSeverity.Warning),
        AlertRuleType.ErrorBudgetBurn => new(0.01, 1_000_000, false, 14.4, TimeSpan.FromHours(1), AlertSeverity.Critical),
        AlertRuleType.ErrorBudgetSpent => new(0.01, 1_000_000, false, 2, TimeSpan.Zero, AlertSeverity.Warning),
        AlertRuleType.IntegrationPaused => new(null, 0, true, 0, TimeSpan.Zero, AlertSeverity.Critical),
        AlertRuleType.CircuitOpened => new(null, 0, true, 0, TimeSpan.Zero, AlertSeverity.Warning),
        AlertRuleType.StorageFailing => new(null, 0, true, 0, TimeSpan.Zero, AlertSeverity.Critical),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
