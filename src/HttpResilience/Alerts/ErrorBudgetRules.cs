using System.Globalization;

namespace HttpResilience;

/// <summary>Judges how fast the error budget of a client burns.</summary>
internal static class ErrorBudgetRules
{
    // Of a handful of calls, one that fails is a great part: that alone is no reason to wake anybody.
    private const int LeastFailures = 5;
    private const int ShortPart = 12;

    internal static List<Finding> Find(string client, IEnumerable<AlertRule> rules, BurnRates rates)
    {
        var findings = new List<Finding>();
        foreach (var rule in rules)
        {
            var finding = rule.Type switch
            {
                AlertRuleType.ErrorBudgetBurn => Burning(client, rule, rates),
                AlertRuleType.ErrorBudgetSpent => Spent(client, rule, rates),
                _ => null,
            };
            if (finding is not null)
                findings.Add(finding);
        }

        return findings;
    }

    // The long window tells that it matters, the short one that it still goes on: so it is over soon after the errors are.
    private static Finding? Burning(string client, AlertRule rule, BurnRates rates)
    {
        if (rates.Failures(rule.Window) < LeastFailures)
            return null;
        double rate = Math.Min(rates.Rate(rule.Window), rates.Rate(rule.Window / ShortPart));
        return rate < rule.Threshold ? null : new(
            rule, $"{client}: the error budget burns too fast",
            string.Create(CultureInfo.InvariantCulture, $"It burns {rate:0.#} times as fast as it may, over {Durations.Show(rule.Window)} and over the last {Durations.Show(rule.Window / ShortPart)}. Check what fails"),
            ("burnRate", rate), ("windowSeconds", rule.Window.TotalSeconds));
    }

    private static Finding? Spent(string client, AlertRule rule, BurnRates rates) => rates.Spent <= rule.Threshold ? null : new(
        rule, $"{client}: the error budget is spent",
        string.Create(CultureInfo.InvariantCulture, $"{rates.Spent:0%} of the budget of its window are burnt. Check what fails, and hold back changes"),
        ("spent", rates.Spent));
}

/// <summary>How an error budget burns.</summary>
/// <param name="Rate">Over the last such time: 1 uses it up exactly at the end of its window.</param>
/// <param name="Failures">How many calls failed in the last such time.</param>
/// <param name="Spent">Which part of the budget of its window is burnt: 1 is all of it.</param>
internal readonly record struct BurnRates(Func<TimeSpan, double> Rate, Func<TimeSpan, long> Failures, double Spent);
