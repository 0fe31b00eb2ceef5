using System.Globalization;

namespace HttpResilience;

/// <summary>Judges how fast the error budget of a client burns.</summary>
internal static class ErrorBudgetRules
{
    // Of a handful of calls, one that fails is a great part: that alone is no reason to wake anybody.
    private const int LeastFailures = 5;
    private const int ShortPart = 12;

    internal static List<Finding> Find(string client, IEnumerable<AlertRule> rules, BudgetBurn burn)
    {
        var findings = new List<Finding>();
        foreach (var rule in rules)
        {
            var finding = rule.Type switch
            {
                AlertRuleType.ErrorBudgetBurn => Burning(client, rule, burn),
                AlertRuleType.ErrorBudgetSpent => Spent(client, rule, burn),
                _ => null,
            };
            if (finding is not null)
                findings.Add(finding);
        }

        return findings;
    }

    // The long window tells that it matters, the short one that it still goes on: so it is over soon after the errors are.
    private static Finding? Burning(string client, AlertRule rule, BudgetBurn burn)
    {
        if (burn.Failures(rule.Window) < LeastFailures)
            return null;
        double rate = Math.Min(burn.Rate(rule.Window), burn.Rate(rule.Window / ShortPart));
        return rate < rule.Threshold ? null : new(
            rule, $"{client}: the error budget burns too fast",
            string.Create(CultureInfo.InvariantCulture, $"It burns {rate:0.#} times as fast as it may, over {Durations.Show(rule.Window)} and over the last {Durations.Show(rule.Window / ShortPart)}. Check what fails"),
            ("burnRate", rate), ("windowSeconds", rule.Window.TotalSeconds));
    }

    private static Finding? Spent(string client, AlertRule rule, BudgetBurn burn)
    {
        bool isSpent = burn.Spent > rule.Threshold && burn.Failures(burn.Window) >= LeastFailures;
        return !isSpent && !burn.IsPaused ? null : new(
            rule, burn.IsPaused ? $"{client} is paused" : $"{client}: the error budget is spent",
            string.Create(CultureInfo.InvariantCulture, $"{burn.Spent:0%} of the error budget of {Durations.Show(burn.Window)} are burnt. ")
                + (burn.IsPaused ? "Nothing is sent but a probe now and then. Check what fails, then resume it (IErrorBudgets.ResumeAsync)" : "Check what fails, and hold back changes"),
            ("spent", burn.Spent));
    }
}

/// <summary>How an error budget burns.</summary>
/// <param name="Window">Of the budget.</param>
/// <param name="Rate">Over the last such time: 1 uses the budget up exactly at the end of its window.</param>
/// <param name="Failures">How many calls failed in the last such time.</param>
/// <param name="IsPaused">The integration is paused.</param>
internal readonly record struct BudgetBurn(TimeSpan Window, Func<TimeSpan, double> Rate, Func<TimeSpan, long> Failures, bool IsPaused = false)
{
    /// <summary>Which part of the budget is burnt: 1 is all of it.</summary>
    internal double Spent => Rate(Window);

    internal static BudgetBurn Of(ErrorBudget budget, long now) =>
        new(budget.Policy.Window, window => budget.BurnRate(window, now), window => budget.Read(window, now).Failures, budget.IsPaused);
}
