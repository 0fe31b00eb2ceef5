namespace HttpResilience.Tests.Alerts;

/// <summary>From the first finding to the end: what is told when.</summary>
public sealed class IncidentTests
{
    private static readonly IncidentKey Key = new(AlertTopic.Calls, "api", "https://api.test");
    private static readonly AlertRule Row = AlertRule.From(new() { Type = AlertRuleType.ConsecutiveFailures }).Single();
    private static readonly AlertRule Window = AlertRule.From(new() { Type = AlertRuleType.FailuresInWindow }).Single();
    private static readonly AlertRule Grave = Row with { Severity = AlertSeverity.Critical };

    private readonly AlertBook _book = new();

    [Fact]
    public void It_is_told_once_when_it_begins_and_once_when_it_ends()
    {
        var started = At(0, Row)!;
        At(1, Row).ShouldBeNull();
        At(59, Row).ShouldBeNull();
        var ended = At(59.5)!;
        At(60).ShouldBeNull();

        (started.Phase, started.Count, started.Rule, started.ClientName, started.Authority, started.Detail).ShouldBe((AlertPhase.Started, 1, AlertRuleType.ConsecutiveFailures, "api", "https://api.test", "detail"));
        (ended.Phase, ended.Count, ended.Id, ended.StartedAt).ShouldBe((AlertPhase.Ended, 2, started.Id, started.StartedAt));
        ended.Detail.ShouldBe("It is over after 59 min 30 s. Rules that held: ConsecutiveFailures");
    }

    [Fact]
    public void A_reminder_comes_after_each_cool_down_while_it_holds()
    {
        At(0, Row);

        Enumerable.Range(1, 200).Select(minute => (minute, told: At(minute, Row))).Where(t => t.told is not null).Select(t => (t.minute, t.told!.Phase, t.told.Count))
            .ShouldBe([(60, AlertPhase.Reminder, 2), (120, AlertPhase.Reminder, 3), (180, AlertPhase.Reminder, 4)]);
    }

    [Fact]
    public void Rules_that_join_are_not_told_by_themselves_but_in_the_end()
    {
        At(0, Row);
        At(1, Row, Window).ShouldBeNull();
        At(2, Window).ShouldBeNull();

        At(3)!.Rules.ShouldBe([AlertRuleType.ConsecutiveFailures, AlertRuleType.FailuresInWindow]);
    }

    [Fact]
    public void One_that_becomes_more_severe_is_told_at_once_and_stays_so()
    {
        At(0, Window)!.Severity.ShouldBe(AlertSeverity.Warning);

        var raised = At(1, Window, Grave)!;
        (raised.Phase, raised.Severity, raised.Count).ShouldBe((AlertPhase.Reminder, AlertSeverity.Critical, 2));
        At(2, Window).ShouldBeNull();
        At(3, Window, Grave).ShouldBeNull();
        At(61, Window)!.Severity.ShouldBe(AlertSeverity.Critical);
    }

    [Fact]
    public void One_that_begins_again_is_another()
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
    public void Nothing_from_outside_can_forge_a_line()
    {
        var forged = new IncidentKey(AlertTopic.Calls, "a\r\nb", "https://x", "ten\nant", "sub\u2028ject");

        var told = _book.Update(forged, [new(Row, "ti\ntle", "de\rtail")], new(TimeSpan.Zero, ManualTimeProvider.DefaultStart), "1.0\n")!;

        (told.ClientName, told.Tenant, told.Subject, told.Title, told.Detail, told.DeploymentVersion).ShouldBe(("a  b", "ten ant", "sub ject", "ti tle", "de tail", "1.0 "));
    }

    private Alert? At(double minutes, params AlertRule[] holding) => _book.Update(
        Key, [.. holding.Select(r => new Finding(r, "title", "detail"))], new(TimeSpan.FromMinutes(minutes), ManualTimeProvider.DefaultStart + TimeSpan.FromMinutes(minutes)), version: null);
}
