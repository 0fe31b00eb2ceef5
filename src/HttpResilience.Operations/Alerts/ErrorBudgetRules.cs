using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>Judges how fast the error budget of a client burns.</summary>
internal static class ErrorBudgetRules
{
    // Of a handful of calls, one that fails is a great part; and one failure in an hour is no reason to wake anybody, however few calls
    // there are.
    private const int MinFailures = BurnRates.MinFailures;
    private const int MinPerHour = 2;
    private const int ShortPart = 12;

    // Once begun it is over below this part of the threshold: a rate about it is not many alerts.
    private const double Hysteresis = 0.8;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <param name="isHeld">The rule held at its last evaluation.</param>
    internal static IReadOnlyList<RuleMatch> FindBurning(string client, IEnumerable<AlertRule> rules, BudgetBurn burn,
        Func<AlertRule, bool> isHeld) =>
        [.. rules.Where(r => r.Type is AlertRuleType.ErrorBudgetBurn).Select(r => Burning(client, r, burn, isHeld(r))).OfType<RuleMatch>()];

    /// <param name="isHeld">The rule held at its last evaluation.</param>
    internal static IReadOnlyList<RuleMatch> FindSpent(string client, IEnumerable<AlertRule> rules, BudgetBurn burn,
        Func<AlertRule, bool> isHeld) =>
        [.. rules.Where(r => r.Type is AlertRuleType.ErrorBudgetSpent).Select(r => Spent(client, r, burn, isHeld(r))).OfType<RuleMatch>()];

    /// <summary>A paused client is an alert of its own, whatever else is wrong.</summary>
    internal static IReadOnlyList<RuleMatch> FindPause(string client, IEnumerable<AlertRule> rules, ErrorBudgetPause? pause) =>
        pause is not { IsPaused: true } ? [] :
    [
        .. rules.Where(r => r.Type is AlertRuleType.IntegrationPaused).Select(r => new RuleMatch(
            r, $"{client} is paused",
            pause.By is null
                ? "Its error budget is burnt. Nothing is sent but a probe every 30 s, until three in a row succeed. "
                    + "Check what fails; to resume it at once, IErrorBudgets.ResumeAsync"
                : $"{pause.By} did it. Nothing is sent until a person resumes it (IErrorBudgets.ResumeAsync)")),
    ];

    // The long window shows that it matters, the short one that it goes on: the alert ends soon after the errors.
    private static RuleMatch? Burning(string client, AlertRule rule, BudgetBurn burn, bool isHeld)
    {
        if (!AreEnough(burn, rule.Window, isHeld))
            return null;
        double rate = Math.Min(burn.Rate(rule.Window), burn.Rate(rule.Window / ShortPart));
        return rate < rule.Threshold * (isHeld ? Hysteresis : 1) ? null : new(
            rule, $"{client}: the error budget burns too fast",
            string.Create(CultureInfo.InvariantCulture,
                $"It burns {Math.Min(rate, 1_000_000):#,0.#} times as fast as it may, over {Durations.Show(rule.Window)} "
                    + $"and over the last {Durations.Show(rule.Window / ShortPart)}. Check what fails"),
            ("burnRate", rate), ("windowSeconds", rule.Window.TotalSeconds));
    }

    private static RuleMatch? Spent(string client, AlertRule rule, BudgetBurn burn, bool isHeld) =>
        burn.Rate(burn.Window) is var spent
            && (spent <= rule.Threshold * (isHeld ? Hysteresis : 1) || !AreEnough(burn, burn.Window, isHeld)) ? null : new(
            rule, $"{client}: the error budget is spent",
            string.Create(CultureInfo.InvariantCulture,
                $"{BudgetShare.Show(spent, $"the error budget of {Durations.Show(burn.Window)}")} is burnt. "
                    + $"Check what fails, and hold back changes"),
            ("spent", spent));

    private static bool AreEnough(BudgetBurn burn, TimeSpan window, bool isHeld) =>
        burn.Failures(window) >= MinFailures && (isHeld || burn.Failures(Hour) >= MinPerHour);
}
