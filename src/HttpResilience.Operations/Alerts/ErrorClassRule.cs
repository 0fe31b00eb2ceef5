using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>Judges whether a failure class has become more frequent with this version.</summary>
internal static class ErrorClassRule
{
    private const int MinFailures = 5;

    /// <param name="now">How the calls since this process began have ended.</param>
    /// <param name="before">The same under other versions; null when unknown: then there is no match.</param>
    internal static IEnumerable<(FailureClass Class, RuleMatch RuleMatch)> Find(
        string client, IEnumerable<AlertRule> rules, IReadOnlyDictionary<FailureClass, long> now,
            IReadOnlyDictionary<FailureClass, long>? before)
    {
        if (before is null || now.Values.Sum() is not (> 0 and var calls) || before.Values.Sum() is not (> 0 and var callsBefore))
            yield break;
        foreach (var rule in rules.Where(r => r.Type is AlertRuleType.ErrorClassSinceDeployment))
        {
            foreach (var (failureClass, count) in now.Where(c => c.Key is not FailureClass.None))
            {
                double share = (double)count / calls;
                // Of one that has never been seen, one more call than there were is the most that it can have been.
                double shareBefore = Math.Max(before.GetValueOrDefault(failureClass), 1) / (double)callsBefore;
                if (count >= MinFailures && share >= rule.Threshold * shareBefore)
                    yield return (failureClass, new(
                        rule, $"{client}: {failureClass} is more frequent since the deployment",
                        string.Create(CultureInfo.InvariantCulture,
                            $"{share:0.##%} of the calls end with it, {shareBefore:0.##%} did before. "
                            + $"Check what was changed, or go back to the version before"),
                        ("share", share), ("shareBefore", shareBefore), ("failures", count)));
            }
        }
    }
}
