using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>How often a named batch finishes. It has no clock.</summary>
internal sealed class BatchCadence
{
    private const int Intervals = 10;
    private const int MinIntervals = 2;

    private readonly Queue<TimeSpan> _intervals = new();

    /// <summary>When it finished last; null before the first time.</summary>
    internal TimeSpan? LastAt { get; private set; }

    /// <summary>The median of its last intervals; null before it has finished three times.</summary>
    internal TimeSpan? Usual => _intervals.Count < MinIntervals ? null : _intervals.Order().ElementAt(_intervals.Count / 2);

    internal void Finish(TimeSpan at)
    {
        if (LastAt is { } last)
            _intervals.Enqueue(at - last);
        if (_intervals.Count > Intervals)
            _intervals.Dequeue();
        LastAt = at;
    }

    internal List<RuleMatch> Find(string name, IEnumerable<AlertRule> rules, TimeSpan now)
    {
        var findings = new List<RuleMatch>();
        if (Usual is not { } usual)
            return findings;
        var since = now - LastAt!.Value;
        foreach (var rule in rules.Where(r => r.Type is AlertRuleType.BatchStalled && since > usual * r.Threshold))
        {
            findings.Add(new(
                rule, $"Batch {name} has not finished",
                string.Create(CultureInfo.InvariantCulture,
                    $"It finished last {Durations.Show(since)} ago, and does so every {Durations.Show(usual)} usually. "
                    + $"Check whether its worker runs"),
                ("sinceSeconds", since.TotalSeconds), ("usualSeconds", usual.TotalSeconds)));
        }

        return findings;
    }
}
