namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>The notifications of an incident from its start to its end.</summary>
public sealed class IncidentTests
{
    private static readonly IncidentKey Key = new(AlertTopic.Calls, "api", "https://api.test");
    private static readonly IncidentKey Budget = new(AlertTopic.ErrorBudget, "api");
    private static readonly AlertRule Burn = AlertRule.From(new() { Type = AlertRuleType.ErrorBudgetBurn }).First();
    private static readonly IncidentKey Classes = new(AlertTopic.ErrorClass, "api", Subject: nameof(FailureClass.ServerError));
    private static readonly AlertRule Row = AlertRule.From(new() { Type = AlertRuleType.ConsecutiveFailures }).Single();
    private static readonly AlertRule Window = AlertRule.From(new() { Type = AlertRuleType.FailuresInWindow }).Single();
    private static readonly AlertRule Grave = Row with { Severity = AlertSeverity.Critical };

    private readonly IncidentTracker _book = new();

    [Fact]
    public void An_incident_is_notified_once_at_its_start_and_once_at_its_end()
    {
        var started = At(0, Row)!;
        At(1, Row).ShouldBeNull();
        At(59, Row).ShouldBeNull();
        var ended = At(59.5)!;
        At(60).ShouldBeNull();

        (started.Phase, started.Count, started.Rule, started.ClientName, started.Authority, started.Detail)
            .ShouldBe((AlertPhase.Started, 1, AlertRuleType.ConsecutiveFailures, "api", "https://api.test", "detail"));
        (ended.Phase, ended.Count, ended.Id, ended.StartedAt).ShouldBe((AlertPhase.Ended, 2, started.Id, started.StartedAt));
        ended.Detail.ShouldBe("It is over after 59 min 30 s. Rules that held: ConsecutiveFailures");
    }

    [Fact]
    public void A_reminder_is_sent_after_each_cool_down_while_the_rule_holds()
    {
        At(0, Row);

        Enumerable.Range(1, 200).Select(minute => (minute, told: At(minute, Row))).Where(t => t.told is not null)
            .Select(t => (t.minute, t.told!.Phase, t.told.Count))
            .ShouldBe([(60, AlertPhase.Reminder, 2), (120, AlertPhase.Reminder, 3), (180, AlertPhase.Reminder, 4)]);
    }

    [Fact]
    public void Rules_that_join_an_incident_are_named_only_at_its_end()
    {
        At(0, Row);
        At(1, Row, Window).ShouldBeNull();
        At(2, Window).ShouldBeNull();

        At(3)!.Rules.ShouldBe([AlertRuleType.ConsecutiveFailures, AlertRuleType.FailuresInWindow]);
    }

    [Fact]
    public void An_incident_that_becomes_more_severe_is_notified_at_once_and_stays_so()
    {
        At(0, Window)!.Severity.ShouldBe(AlertSeverity.Warning);

        var raised = At(1, Window, Grave)!;
        (raised.Phase, raised.Severity, raised.Count).ShouldBe((AlertPhase.Reminder, AlertSeverity.Critical, 2));
        At(2, Window).ShouldBeNull();
        At(3, Window, Grave).ShouldBeNull();
        At(61, Window)!.Severity.ShouldBe(AlertSeverity.Critical);
    }

    [Fact]
    public void An_incident_that_begins_again_is_a_new_one()
    {
        var first = At(0, Row)!;
        At(1);

        var second = At(2, Row)!;
        (second.Phase, second.Count, second.Id == first.Id).ShouldBe((AlertPhase.Started, 1, false));
    }

    [Fact]
    public void The_shortest_cool_down_counts()
    {
        At(0, Row, Window with { CoolDown = TimeSpan.FromMinutes(10) });

        At(9, Row, Window with { CoolDown = TimeSpan.FromMinutes(10) }).ShouldBeNull();
        At(10, Row, Window with { CoolDown = TimeSpan.FromMinutes(10) })!.Phase.ShouldBe(AlertPhase.Reminder);
    }

    [Fact]
    public void A_budget_burnt_by_an_outage_joins_its_incident_and_alerts_separately_after_a_further_cool_down()
    {
        At(0, Row)!.Phase.ShouldBe(AlertPhase.Started);
        Burns(1, Burn).ShouldBeNull();
        At(8, Row);
        At(9)!.Phase.ShouldBe(AlertPhase.Ended);
        Burns(12, Burn).ShouldBeNull();
        Burns(67, Burn).ShouldBeNull();

        Burns(126, Burn).ShouldBeNull();
        var told = Burns(127, Burn)!;
        (told.Phase, told.Count).ShouldBe((AlertPhase.Started, 1));
        Burns(128)!.Phase.ShouldBe(AlertPhase.Ended);
    }

    [Fact]
    public void A_budget_that_burns_for_ten_minutes_of_an_outage_is_more_severe_and_notified()
    {
        At(0, Row)!.Severity.ShouldBe(AlertSeverity.Warning);
        for (int minute = 1; minute < 11; minute++)
        {
            At(minute, Row);
            Burns(minute, Burn).ShouldBeNull();
        }

        At(11, Row);
        var told = Burns(11, Burn)!;
        (told.Phase, told.Severity).ShouldBe((AlertPhase.Started, AlertSeverity.Critical));
        Burns(12, Burn).ShouldBeNull();
        Burns(13)!.Phase.ShouldBe(AlertPhase.Ended);
    }

    [Fact]
    public void A_budget_rule_no_more_severe_than_the_outage_waits_for_its_end()
    {
        for (int minute = 0; minute < 60; minute++)
        {
            At(minute, Grave);
            Burns(minute, Burn).ShouldBeNull();
        }
    }

    [Fact]
    public void An_outage_is_not_attributed_to_a_deployment()
    {
        At(0, Row);
        Update(Classes, 1, [Row]).ShouldBeNull();
        Update(Classes with { Subject = nameof(FailureClass.Validation) }, 1, [Row])!.Phase.ShouldBe(AlertPhase.Started);
    }

    [Fact]
    public void A_flapping_rule_is_notified_twice_and_then_ends_after_five_quiet_minutes()
    {
        List<AlertPhase> told = [];
        for (double minute = 0; minute < 30; minute += 1)
        {
            if (At(minute, Row) is { } comes)
                told.Add(comes.Phase);
            if (At(minute + 0.5) is { } goes)
                told.Add(goes.Phase);
        }

        told.ShouldBe([AlertPhase.Started, AlertPhase.Ended, AlertPhase.Started]);
        At(33.9).ShouldBeNull();
        At(34)!.Phase.ShouldBe(AlertPhase.Ended);
        At(40, Row)!.Phase.ShouldBe(AlertPhase.Started);
    }

    [Fact]
    public void No_reminder_is_sent_without_a_new_failure()
    {
        Told(0, failedAt: 0)!.Phase.ShouldBe(AlertPhase.Started);
        Told(60, failedAt: 0).ShouldBeNull();
        Told(600, failedAt: 0).ShouldBeNull();
        Told(601, failedAt: 601)!.Phase.ShouldBe(AlertPhase.Reminder);

        Alert? Told(double minutes, double failedAt) => _book.Update(
            Key, [new(Row, "title", "detail") { LastAt = TimeSpan.FromMinutes(failedAt) }],
                new(TimeSpan.FromMinutes(minutes), ManualTimeProvider.DefaultStart + TimeSpan.FromMinutes(minutes)), null);
    }

    [Fact]
    public void A_host_without_calls_hides_no_burning_budget()
    {
        _book.Update(Key, [new(Row, "title", "detail") { LastAt = TimeSpan.Zero }], new(TimeSpan.Zero, ManualTimeProvider.DefaultStart),
            null);
        _book.Update(Key, [new(Row, "title", "detail") { LastAt = TimeSpan.Zero }],
            new(TimeSpan.FromMinutes(120), ManualTimeProvider.DefaultStart), null);

        Burns(120, Burn)!.Phase.ShouldBe(AlertPhase.Started);
    }

    [Fact]
    public void An_incident_that_was_never_notified_has_no_all_clear()
    {
        At(0, Row);
        Burns(1, Burn);

        Burns(2).ShouldBeNull();
    }

    [Fact]
    public void A_budget_of_another_client_or_without_an_outage_is_notified_at_once()
    {
        At(0, Row);
        _book.Update(Budget with { Client = "other" }, [new(Burn, "title", "detail")],
            new(TimeSpan.Zero, ManualTimeProvider.DefaultStart), null)!.Phase.ShouldBe(AlertPhase.Started);

        At(1);
        Burns(61, Burn)!.Phase.ShouldBe(AlertPhase.Started);
    }

    [Fact]
    public void External_text_cannot_forge_a_log_line()
    {
        var forged = new IncidentKey(AlertTopic.Calls, "a\r\nb", "https://x", "ten\nant", "sub\u2028ject");

        var told = _book.Update(forged, [new(Row, "ti\ntle", "de\rtail")], new(TimeSpan.Zero, ManualTimeProvider.DefaultStart), "1.0\n")!;

        (told.ClientName, told.Tenant, told.Subject, told.Title, told.Detail, told.DeploymentVersion)
            .ShouldBe(("a  b", "ten ant", "sub ject", "ti tle", "de tail", "1.0 "));
    }

    private Alert? At(double minutes, params AlertRule[] holding) => Update(Key, minutes, holding);

    private Alert? Burns(double minutes, params AlertRule[] holding) => Update(Budget, minutes, holding);

    private Alert? Update(IncidentKey key, double minutes, AlertRule[] holding) => _book.Update(
        key, [.. holding.Select(r => new RuleMatch(r, "title", "detail"))],
            new(TimeSpan.FromMinutes(minutes), ManualTimeProvider.DefaultStart + TimeSpan.FromMinutes(minutes)), version: null);
}
