using System.Globalization;

namespace HttpResilience;

/// <summary>Judges whether a failure class has become more frequent with this version.</summary>
internal static class ErrorClassRule
{
    private const int LeastFailures = 5;

    /// <param name="now">The calls since this process began.</param>
    /// <param name="baseline">Those under other versions; null when they are not known: nothing is said.</param>
    internal static IEnumerable<(FailureClass Class, Finding Finding)> Find(string client, IEnumerable<AlertRule> rules, CallCounts now, ErrorClassBaseline? baseline)
    {
        if (baseline is not { Counts: { Calls: > 0 } before } || now.Calls == 0)
            yield break;
        foreach (var rule in rules.Where(r => r.Type is AlertRuleType.ErrorClassSinceDeployment))
        {
            foreach (var (failureClass, count) in now.Failures)
            {
                double share = (double)count / now.Calls;
                // Of one that has never been seen, one more call than there were is the most that it can have been.
                double shareBefore = Math.Max(before.Failures.GetValueOrDefault(failureClass), 1) / (double)before.Calls;
                if (count >= LeastFailures && share >= rule.Threshold * shareBefore)
                    yield return (failureClass, new(
                        rule, $"{client}: {failureClass} is more frequent since the deployment",
                        string.Create(CultureInfo.InvariantCulture, $"{share:0.##%} of the calls end with it, {shareBefore:0.##%} did before. Check what was changed, or go back to the version before"),
                        ("share", share), ("shareBefore", shareBefore), ("failures", count)));
            }
        }
    }
}

/// <summary>How many calls ended how.</summary>
internal sealed record CallCounts(long Calls, IReadOnlyDictionary<FailureClass, long> Failures);

/// <summary>The calls of a client under other versions of the application.</summary>
internal sealed record ErrorClassBaseline(CallCounts Counts);
