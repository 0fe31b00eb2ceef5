using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>
/// The sources that rules evaluate besides single calls: the hosts of all clients, dead letters, batches, and error budgets.
/// </summary>
/// <param name="count">Counts dead letters. Null when there is no durable storage.</param>
internal sealed partial class AlertSources(IResilientClients clients, ErrorBudgetObserver budgets, BatchCadences batches, AlertQueue feed,
    Func<CancellationToken, Task<DeadLetterCounts>>? count, TimeProvider time, ILogger logger)
{
    internal const string LogCategory = AlertLog.LogCategory;

    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan HalfADay = TimeSpan.FromHours(12);

    private static readonly Dictionary<FailureClass, long> Nothing = [];

    private readonly Dictionary<string, ClassesSeen> _classes = [];
    private readonly DeadLetterTrend _trend = new();
    private DeadLetterCounts? _counts;
    private Task _counting = Task.CompletedTask;
    private TimeSpan? _countedAt;

    /// <summary>The hosts that calls have failed at.</summary>
    internal IEnumerable<HostFailureTracker> Hosts() =>
        clients.List().SelectMany(c => c.ObservedHosts).Select(h => h.Get<HostFailureTracker>()).OfType<HostFailureTracker>();

    /// <summary>Has dead letters counted when it is time to. The watch does not wait for the store.</summary>
    internal void CountLetters()
    {
        if (count is null || !_counting.IsCompleted || feed.Now - _countedAt < CountEvery)
            return;
        _countedAt = feed.Now;
        _counting = CountAsync(count);
    }

    /// <returns>The matches of each subject; an empty list for one that no rule matches.</returns>
    internal IEnumerable<(IncidentKey Key, IReadOnlyList<RuleMatch> Findings)> Find(AlertPolicy policy, TimeSpan now,
        Func<IncidentKey, AlertRule, bool> isHeld) =>
        LettersFound(policy, now, isHeld).Concat(LossesFound(policy, now)).Concat(batches.Find(policy, now))
            .Concat(budgets.All.SelectMany(b => BudgetFound(b, policy, isHeld)))
            .Concat(budgets.All.SelectMany(b => ClassesFound(b, policy, now)));

    private async Task CountAsync(Func<CancellationToken, Task<DeadLetterCounts>> countLetters)
    {
        try
        {
            var counts = await countLetters(CancellationToken.None).ConfigureAwait(false);
            Volatile.Write(ref _counts, counts);
            feed.Tick();
        }
        catch (Exception e)
        {
            // Writes to a failing store report it more severely.
            CountFailed(logger, e);
        }
    }

    private IEnumerable<(IncidentKey, IReadOnlyList<RuleMatch>)> LettersFound(AlertPolicy policy, TimeSpan now,
        Func<IncidentKey, AlertRule, bool> isHeld)
    {
        if (count is null)
            return [];
        AlertRule[] rules = [.. policy.Rules.Where(r => r.Type is AlertRuleType.DeadLetters or AlertRuleType.DeadLettersGrowing
            or AlertRuleType.ReplayLag)];
        if (Interlocked.Exchange(ref _counts, null) is { } counts)
        {
            long open = counts[DeadLetterStatus.Pending] + counts[DeadLetterStatus.InProgress] + counts[DeadLetterStatus.RequiresReview];
            var lag = time.GetUtcNow() - counts.OldestDueAt ?? TimeSpan.Zero;
            _trend.Add(now, open, lag > TimeSpan.Zero ? lag : TimeSpan.Zero, rules.Select(r => r.Window).DefaultIfEmpty().Max());
        }

        var key = new IncidentKey(AlertTopic.DeadLetters);
        return [(key, DeadLetterRules.Find(rules, _trend, rule => isHeld(key, rule), AnyHoldsLettersBack()))];
    }

    private bool AnyHoldsLettersBack() => clients.List().Any(c => c.HoldsLettersBack);

    private IEnumerable<(IncidentKey, IReadOnlyList<RuleMatch>)> LossesFound(AlertPolicy policy, TimeSpan now)
    {
        foreach (var (client, lost) in feed.Lost)
        {
            RuleMatch[] findings =
            [
                .. policy.Rules.Where(r => r.Type is AlertRuleType.StorageFailing && r.AppliesTo(client) && now - lost.LastAt < r.CoolDown)
                    .Select(r => new RuleMatch(
                    r, $"{client}: requests that failed for good could not be kept",
                    $"{lost.Count} so far. The log has them but for their bodies (event 501). Check the store of dead letters",
                        ("lost", lost.Count))),
            ];
            if (findings.Length == 0)
                feed.Forget(client);
            yield return (new(AlertTopic.Storage, client), findings);
        }
    }

    private static IEnumerable<(IncidentKey, IReadOnlyList<RuleMatch>)> BudgetFound(ErrorBudget budget, AlertPolicy policy,
        Func<IncidentKey, AlertRule, bool> isHeld)
    {
        string client = budget.ClientName;
        AlertRule[] rules = [.. policy.Rules.Where(r => r.AppliesTo(client))];
        var burn = budget.BurnAt(budget.Time.GetTimestamp());
        IncidentKey burning = new(AlertTopic.ErrorBudget, client), spent = new(AlertTopic.SpentBudget, client);
        yield return (burning, ErrorBudgetRules.FindBurning(client, rules, burn, rule => isHeld(burning, rule)));
        yield return (spent, ErrorBudgetRules.FindSpent(client, rules, burn, rule => isHeld(spent, rule)));
        yield return (new(AlertTopic.Pause, client), ErrorBudgetRules.FindPause(client, rules, budget.Pause.Change));
    }

    /// <summary>
    /// How the calls of the last half day have ended, and of at most half a day more: an outage of last week is not what comes with a
    /// version.
    /// </summary>
    private Dictionary<FailureClass, long> RecentOf(ErrorBudget budget, TimeSpan now)
    {
        var totals = budget.ClassTotals;
        if (!_classes.TryGetValue(budget.ClientName, out var seen))
            _classes[budget.ClientName] = seen = new(Nothing, Nothing, now);
        if (now - seen.At >= HalfADay)
            _classes[budget.ClientName] = seen = new(seen.Newer, totals, now);
        return totals.ToDictionary(t => t.Key, t => t.Value - seen.Older.GetValueOrDefault(t.Key));
    }

    private IEnumerable<(IncidentKey, IReadOnlyList<RuleMatch>)> ClassesFound(ErrorBudget budget, AlertPolicy policy, TimeSpan now) =>
        ErrorClassRule
        .Find(budget.ClientName, policy.Rules.Where(r => r.AppliesTo(budget.ClientName)), RecentOf(budget, now), budget.Baseline)
        .GroupBy(f => f.Class, f => f.RuleMatch)
        .Select(g => (new IncidentKey(AlertTopic.ErrorClass, budget.ClientName, Subject: g.Key.ToString()),
            (IReadOnlyList<RuleMatch>)[.. g]));

    /// <summary>How calls had ended since the process began, at two times.</summary>
    private sealed record ClassesSeen(IReadOnlyDictionary<FailureClass, long> Older, IReadOnlyDictionary<FailureClass, long> Newer,
        TimeSpan At);

    [LoggerMessage(711, LogLevel.Warning, "Dead letters could not be counted; alerts about them go by the last count")]
    private static partial void CountFailed(ILogger logger, Exception exception);
}
