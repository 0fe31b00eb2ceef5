namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>The rules about dead letters, batches, budgets and failure classes as tables, with virtual time.</summary>
public sealed class OtherRulesTests
{
    [Theory]
    [InlineData(100, false, false)]
    [InlineData(101, false, true)]
    [InlineData(100, true, true)]
    [InlineData(91, true, true)]
    [InlineData(90, true, false)]
    public void Dead_letters_above_the_threshold_alert(long open, bool isHeld, bool holds) =>
        Letters(AlertRuleType.DeadLetters, isHeld, false, (0, open, 0)).ShouldBe(holds);

    [Theory]
    [InlineData("0:50 60:69", false, false)]
    [InlineData("0:50 60:70", false, true)]
    [InlineData("0:50 59:90", false, false)]            // The count of an hour ago is unknown.
    [InlineData("0:50 30:40 60:90", false, false)]      // The count fell in between.
    [InlineData("0:50 30:90 60:70", false, true)]
    [InlineData("0:0 60:40 120:50", false, false)]      // Earlier growth does not count.
    [InlineData("0:50 60:60", true, true)]              // Ends when the growth is below half.
    [InlineData("0:50 60:59", true, false)]
    public void Growing_dead_letters_alert(string counts, bool isHeld, bool holds) => Letters(
        AlertRuleType.DeadLettersGrowing, isHeld, false,
            [.. counts.Split(' ').Select(c => c.Split(':')).Select(c => (double.Parse(c[0]), long.Parse(c[1]), 0d))]).ShouldBe(holds);

    [Theory]
    [InlineData("0", 121, false, false, true)]          // The usual lag is at least a minute.
    [InlineData("0", 120, false, false, false)]
    [InlineData("300,300,300", 601, false, false, true)]
    [InlineData("300,300,300", 600, false, false, false)]
    [InlineData("300,300,300", 6000, false, true, false)]   // Letters behind an open circuit are late by design.
    [InlineData("300,300,300", 6000, true, true, true)]
    [InlineData("300,300,300", 301, true, false, true)]
    [InlineData("300,300,300", 300, true, false, false)]
    public void A_replay_lag_above_the_threshold_alerts(string before, double lag, bool isHeld, bool isHeldBack, bool holds) => Letters(
        AlertRuleType.ReplayLag, isHeld, isHeldBack,
            [.. before.Split(',').Append(lag.ToString(System.Globalization.CultureInfo.InvariantCulture))
                .Select((l, i) => ((double)i, 1L, double.Parse(l)))]).ShouldBe(holds);

    [Fact]
    public void The_usual_replay_lag_is_forgotten_after_two_days()
    {
        var trend = new DeadLetterTrend();
        var day = TimeSpan.FromDays(1);
        for (int i = 0; i < 10; i++)
            trend.Add(TimeSpan.FromMinutes(i), 1, TimeSpan.FromHours(5), day);
        for (int i = 0; i < 5; i++)
            trend.Add(2 * day + TimeSpan.FromMinutes(i), 1, TimeSpan.FromMinutes(3), day);

        trend.UsualLag(day).ShouldBe(TimeSpan.FromMinutes(3));
    }

    [Theory]
    [InlineData("0 60 120", 240, false)]
    [InlineData("0 60 120", 241, true)]
    [InlineData("0 60", 600, false)]                    // The usual interval is not known yet.
    [InlineData("0 60 120 180 1180", 1300, false)]      // One long interval does not change the usual one ...
    [InlineData("0 60 120 180 1180", 1301, true)]       // ... and does not extend the next wait.
    [InlineData("0 60 120 250", 300, false)]
    [InlineData("0 1000 2000 2010 2020 2030 2040 2050 2060 2070 2080 2090 2100", 2121, true)]   // The last ten intervals count.
    public void A_batch_that_is_overdue_alerts(string finishes, double now, bool isStalled)
    {
        var cadence = new BatchCadence();
        foreach (string at in finishes.Split(' '))
            cadence.Finish(TimeSpan.FromMinutes(double.Parse(at)));

        cadence.Find("nightly", BuiltIn, TimeSpan.FromMinutes(now)).Count.ShouldBe(isStalled ? 1 : 0);
    }

    [Theory]
    [InlineData(14.4, 14.4, 5, 2, "1:00:00", true, true)]
    [InlineData(14.3, 20, 5, 2, "1:00:00", false, true)]
    [InlineData(20, 14.3, 5, 2, "1:00:00", false, true)]
    [InlineData(20, 11.5, 5, 2, "1:00:00", false, false)]       // The short window shows that it has ended.
    [InlineData(11.5, 20, 5, 2, "1:00:00", false, false)]
    [InlineData(100, 100, 4, 2, "1:00:00", false, false)]       // Too few failures.
    [InlineData(6, 6, 5, 2, "6:00:00", true, true)]
    [InlineData(5.9, 6, 5, 2, "6:00:00", false, true)]
    [InlineData(4.7, 6, 5, 2, "6:00:00", false, false)]
    [InlineData(100, 100, 5, 1, "6:00:00", false, true)]        // One failure in an hour.
    [InlineData(1, 1, 5, 2, "3.00:00:00", true, true)]
    [InlineData(0.9, 1, 5, 2, "3.00:00:00", false, true)]
    [InlineData(0.7, 1, 5, 2, "3.00:00:00", false, false)]
    [InlineData(9, 9, 70, 1, "3.00:00:00", false, true)]        // One failure in an hour.
    public void A_burn_rate_above_its_threshold_alerts(
        double longRate, double shortRate, long failures, long inTheLastHour, string window, bool fires, bool holds)
    {
        var length = TimeSpan.Parse(window);
        var burn = new BudgetBurn(
            Month, w => w == length ? longRate : w == length / 12 ? shortRate : w == Month ? 0.5 : 0, w =>
                w == length ? failures : w == TimeSpan.FromHours(1) ? inTheLastHour : 0);

        ErrorBudgetRules.FindBurning("api", BuiltIn, burn, _ => false).Select(f => f.Rule.Window).ShouldBe(fires ? [length] : []);
        // The alert ends when a rate is below four fifths of the threshold.
        ErrorBudgetRules.FindBurning("api", BuiltIn, burn, _ => true).Select(f => f.Rule.Window).ShouldBe(holds ? [length] : []);
    }

    [Theory]
    [InlineData(2, 5, 2, false)]
    [InlineData(2.01, 5, 2, true)]
    [InlineData(2.01, 4, 2, false)]                     // Too few failures.
    [InlineData(2.01, 50, 1, false)]                    // One failure in an hour.
    public void A_spent_budget_alerts(double spent, long failures, long inTheLastHour, bool fires) =>
        ErrorBudgetRules.FindSpent("api", BuiltIn,
            new BudgetBurn(Month, w => w == Month ? spent : 0,
                w => w == Month ? failures : w == TimeSpan.FromHours(1) ? inTheLastHour : 0), _ => false)
            .Select(f => f.Rule.Type).ShouldBe(fires ? [AlertRuleType.ErrorBudgetSpent] : []);

    [Theory]
    [InlineData(true, null, "Its error budget is burnt.")]
    [InlineData(true, "operator", "operator did it.")]
    [InlineData(false, "operator", null)]
    public void A_paused_client_alerts(bool isPaused, string? by, string? says) =>
        ErrorBudgetRules.FindPause("api", BuiltIn, new("api", isPaused, by, DateTimeOffset.UnixEpoch))
            .Select(f => f.Detail[..(says ?? "").Length]).ShouldBe(says is null ? [] : [says]);

    [Theory]
    [InlineData(100, 5, 10_000, 167, false)]
    [InlineData(100, 5, 10_000, 166, true)]
    [InlineData(100, 4, 10_000, 1, false)]              // Too few failures.
    [InlineData(1000, 5, 10_000, 0, true)]              // Never seen before.
    [InlineData(1000, 5, 100, 0, false)]                // Too little traffic before.
    [InlineData(100, 50, 0, 0, false)]
    public void A_failure_class_that_is_new_since_the_deployment_alerts(
        long calls, long failures, long callsBefore, long failuresBefore, bool fires)
    {
        var now = Ended(calls, failures, transient: 1);
        var before = Ended(callsBefore, failuresBefore, transient: callsBefore / 2);

        ErrorClassRule.Find("api", BuiltIn, now, before).Select(f => f.Class).ShouldBe(fires ? [FailureClass.Validation] : []);
        ErrorClassRule.Find("api", BuiltIn, now, before: null).ShouldBeEmpty();
    }

    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    private static IReadOnlyList<AlertRule> BuiltIn => new AlertPolicy(new()).Rules;

    private static bool Letters(AlertRuleType type, bool isHeld, bool isHeldBack,
        params (double Minute, long Open, double LagSeconds)[] samples)
    {
        var trend = new DeadLetterTrend();
        foreach (var (minute, open, lag) in samples)
            trend.Add(TimeSpan.FromMinutes(minute), open, TimeSpan.FromSeconds(lag), TimeSpan.FromDays(1));
        return DeadLetterRules.Find(AlertRule.From(new() { Type = type }), trend, _ => isHeld, isHeldBack).Count > 0;
    }

    [Fact]
    public void More_successes_since_the_deployment_do_not_alert() =>
        ErrorClassRule.Find("api", BuiltIn, Ended(1000, 0, 0), Ended(1000, 0, transient: 900)).ShouldBeEmpty();

    private static Dictionary<FailureClass, long> Ended(long calls, long refused, long transient) => new()
    {
        [FailureClass.None] = calls - refused - transient,
        [FailureClass.Validation] = refused,
        [FailureClass.Transient] = transient,
    };
}
