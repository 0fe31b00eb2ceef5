using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>Evaluates the number of dead letters and their lag.</summary>
internal static class DeadLetterRules
{
    internal const string Title = "Dead letters pile up";
    internal const string Late = "Dead letters are sent late";

    /// <param name="lettersAreHeldBack">A circuit or a pause holds letters back: they are late on purpose.</param>
    internal static List<RuleMatch> Find(IEnumerable<AlertRule> rules, DeadLetterTrend trend, Func<AlertRule, bool> isHeld,
        bool lettersAreHeldBack)
    {
        var findings = new List<RuleMatch>();
        if (trend.Last is not { } last)
            return findings;
        foreach (var rule in rules)
        {
            var finding = rule.Type switch
            {
                AlertRuleType.DeadLetters => Count(rule, last.Open, isHeld(rule)),
                AlertRuleType.DeadLettersGrowing => Growth(rule, trend.Growth(rule.Window), last.Open, isHeld(rule)),
                AlertRuleType.ReplayLag => Lag(rule, last.Lag, trend.UsualLag(rule.Window), isHeld(rule), lettersAreHeldBack),
                _ => null,
            };
            if (finding is not null)
                findings.Add(finding);
        }

        return findings;
    }

    // Over at a tenth below, so that one letter more or less does not end and restart the alert.
    private static RuleMatch? Count(AlertRule rule, long open, bool isHeld) =>
        (isHeld ? open > rule.Threshold * 0.9 : open > rule.Threshold)
        ? new(rule, Title, Text($"{open} letters are pending or wait for a person. ")
            + "Look through them (IDeadLetterReview) and check whether they are sent again (AddDeadLetterReplay)", ("deadLetters", open))
        : null;

    private static RuleMatch? Growth(AlertRule rule, long growth, long open, bool isHeld) =>
        (isHeld ? growth * 2 >= rule.Threshold : growth >= rule.Threshold)
        ? new(rule, Title, Text($"{growth} letters more than {Durations.Show(rule.Window)} ago, {open} by now. Check what fails for good"),
            ("deadLetters", open), ("growth", growth))
        : null;

    private static RuleMatch? Lag(AlertRule rule, TimeSpan lag, TimeSpan usual, bool isHeld, bool lettersAreHeldBack) =>
        (isHeld ? lag > usual : !lettersAreHeldBack && lag > usual * rule.Threshold)
            ? new(rule, Late, Text($"The longest due letter has been due for {Durations.Show(lag)}, usual are {Durations.Show(usual)}. ")
                + "Check whether a replay worker runs (AddDeadLetterReplay)",
                ("lagSeconds", lag.TotalSeconds), ("usualLagSeconds", usual.TotalSeconds))
            : null;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
