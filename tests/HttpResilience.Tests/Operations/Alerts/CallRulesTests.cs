namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>
/// The rules about calls as tables. A script is a sequence of calls to one host: <c>F</c> fails with 503, <c>X</c> with 500,
/// <c>C</c> without a connection, <c>U</c> with 401, <c>R</c> with 429, <c>S</c> succeeds, <c>N</c> ends with 404, <c>V</c> with
/// 422, <c>P</c> with 501, <c>B</c> is a bug of the program, <c>Z</c> is cancelled, <c>O</c> is rejected by the open circuit;
/// <c>m</c> is a minute, <c>h</c> an hour that passes.
/// </summary>
public sealed class CallRulesTests
{
    private static readonly CallsOf Host = new("api", "https://api.test", null);

    public static TheoryData<AlertRuleType, string, bool> Cases => new()
    {
        // The alert starts.
        { AlertRuleType.ConsecutiveFailures, "FFFFF", true },
        { AlertRuleType.ConsecutiveFailures, "FXCUR", true },
        { AlertRuleType.ConsecutiveFailures, "FhFhFhFhF", true },
        { AlertRuleType.ConsecutiveFailures, "SFFZFBFOF", true },
        { AlertRuleType.ConsecutiveFailures, "FFFFFFFFF", true },
        { AlertRuleType.FailuresInWindow, "FFFFF", true },
        { AlertRuleType.FailuresInWindow, "FSFSXSCSF", true },
        { AlertRuleType.FailuresInWindow, "FmFmFmFmF", true },
        { AlertRuleType.FailuresInWindow, "FmmFFmFmFmF", true },
        // No alert starts.
        { AlertRuleType.ConsecutiveFailures, "", false },
        { AlertRuleType.ConsecutiveFailures, "FFFF", false },
        { AlertRuleType.ConsecutiveFailures, "FFFFSFFFF", false },
        { AlertRuleType.ConsecutiveFailures, "FFFFNF", false },
        { AlertRuleType.ConsecutiveFailures, "FFFFVF", false },
        { AlertRuleType.ConsecutiveFailures, "FFFFPF", false },
        { AlertRuleType.ConsecutiveFailures, "NNNNNNNNNN", false },
        { AlertRuleType.ConsecutiveFailures, "FFFFZZBBOOOO", false },
        { AlertRuleType.FailuresInWindow, "F", false },
        { AlertRuleType.FailuresInWindow, "FFFF", false },
        { AlertRuleType.FailuresInWindow, "FhFhFhFhFhF", false },
        { AlertRuleType.FailuresInWindow, "FFFFmmmmmF", false },
        { AlertRuleType.FailuresInWindow, "FUUUUURRRRR", false },
        { AlertRuleType.FailuresInWindow, "FFFFNNNOOOZZZ", false },
        // The alert ends.
        { AlertRuleType.ConsecutiveFailures, "FFFFFS", false },
        { AlertRuleType.ConsecutiveFailures, "FFFFFN", false },
        { AlertRuleType.ConsecutiveFailures, "FFFFFhh", true },
        { AlertRuleType.ConsecutiveFailures, "FFFFFOOZB", true },
        { AlertRuleType.FailuresInWindow, "FFFFFS", true },
        { AlertRuleType.FailuresInWindow, "FFFFFmmmm", true },
        { AlertRuleType.FailuresInWindow, "FFFFFmmmmm", false },
        { AlertRuleType.FailuresInWindow, "FFmmFFFmmm", true },
        { AlertRuleType.FailuresInWindow, "FFFmmFFmmm", false },
        { AlertRuleType.FailuresInWindow, "FFFFFmmmmFFmm", false },
        { AlertRuleType.FailuresInWindow, "FFFFFmmmmFFFmm", true },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Consecutive_failures_start_and_end_an_alert(AlertRuleType type, string script, bool holds)
    {
        var rule = AlertRule.From(new() { Type = type }).Single();
        var calls = new FailureRow();
        var now = TimeSpan.FromDays(1);
        bool isHeld = false;

        foreach (char step in script)
        {
            now = Take(calls, step, now);
            isHeld = CallRules.Find(Host, [rule], calls, now, _ => isHeld, circuitIsOpen: false, othersAreWell: false).Count > 0;
        }

        isHeld.ShouldBe(holds);
    }

    [Theory]
    [InlineData("AAAAA", "BC", true)]        // Others succeed after the first failure.
    [InlineData("AAAA", "BC", false)]
    [InlineData("AAAAA", "B", false)]        // One other tenant is not sufficient.
    [InlineData("AAAAA", "BBBB", false)]
    [InlineData("AAAAA", "", false)]
    [InlineData("AAAAA", "BCdef", false)]    // Most others fail as well.
    [InlineData("AAAAA", "BCDef", true)]
    public void A_tenant_that_fails_while_others_succeed_alerts(string failing, string others, bool holds)
    {
        var rule = AlertRule.From(new() { Type = AlertRuleType.TenantFailing }).Single();
        var rows = new Dictionary<char, FailureRow> { ['A'] = new() };
        var now = TimeSpan.FromDays(1);
        foreach (char _ in failing)
            rows['A'].Fail(new(now += TimeSpan.FromSeconds(1), FailureClass.Authentication, 401), memory: 5);
        foreach (char other in others)
        {
            var row = rows.TryGetValue(char.ToUpperInvariant(other), out var known) ? known : rows[char.ToUpperInvariant(other)] = new();
            now += TimeSpan.FromSeconds(1);
            if (char.IsUpper(other))
                row.Succeed(now);
            else
                row.Fail(new(now, FailureClass.Transient, 503), memory: 5);
        }

        bool othersAreWell = CallRules.OthersAreWell(rows['A'], rows.Values);
        var found = CallRules.Find(Host with { Tenant = "A" }, [rule], rows['A'], now, _ => false, circuitIsOpen: false, othersAreWell);

        found.Count.ShouldBe(holds ? 1 : 0);
        if (holds)
            found[0].Title.ShouldBe("api: calls of tenant A to https://api.test fail");
    }

    [Fact]
    public void Successes_of_others_before_the_failures_of_the_tenant_do_not_count()
    {
        var (failing, b, c) = (new FailureRow(), new FailureRow(), new FailureRow());
        b.Succeed(TimeSpan.FromSeconds(1));
        c.Succeed(TimeSpan.FromSeconds(1));
        failing.Fail(new(TimeSpan.FromSeconds(2), FailureClass.Transient, null), memory: 5);

        CallRules.OthersAreWell(failing, [failing, b, c]).ShouldBeFalse();
    }

    [Fact]
    public void The_alert_of_a_tenant_ends_with_a_success_or_when_the_tenant_is_forgotten()
    {
        var rule = AlertRule.From(new() { Type = AlertRuleType.TenantFailing }).Single();
        var row = new FailureRow();
        for (int i = 0; i < 5; i++)
            row.Fail(new(TimeSpan.FromMinutes(i), FailureClass.Transient, 503), memory: 5);

        bool Holds(double minutes) => CallRules.Find(Host with { Tenant = "A" }, [rule], row, TimeSpan.FromMinutes(minutes), _ => true,
            false, othersAreWell: true).Count > 0;

        Holds(8.9).ShouldBeTrue();
        Holds(9).ShouldBeFalse();
        row.Succeed(TimeSpan.FromMinutes(5));
        Holds(5).ShouldBeFalse();
    }

    [Fact]
    public void A_circuit_that_opens_before_its_call_ends_alerts_at_once()
    {
        var now = TimeSpan.FromMinutes(7);
        var finding = CallRules.Find(Host, AlertRule.From(new() { Type = AlertRuleType.CircuitOpened }), new(), now, _ => false,
            circuitIsOpen: true, othersAreWell: false).ShouldHaveSingleItem();

        finding.LastAt.ShouldBe(now);
        new IncidentTracker().Update(Host.Key, [finding], new(now, ManualTimeProvider.DefaultStart), version: null).ShouldNotBeNull()
            .Phase.ShouldBe(AlertPhase.Started);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void An_open_circuit_alerts(bool isOpen, int findings) => CallRules.Find(
        Host, AlertRule.From(new() { Type = AlertRuleType.CircuitOpened }), new(), TimeSpan.Zero, _ => false, isOpen, othersAreWell: false)
            .Count.ShouldBe(findings);

    [Theory]
    [InlineData(FailureClass.Authentication, 401, "the last one with Authentication (401). Check the API key")]
    [InlineData(FailureClass.Authorization, 403, "the last one with Authorization (403). Check permissions")]
    [InlineData(FailureClass.RateLimited, 429, "the last one with RateLimited (429). Check the pace and the quota")]
    [InlineData(FailureClass.Transient, null, "the last one with Transient (no response). Check whether the API is up")]
    public void The_detail_names_the_failure_and_the_suggested_action(FailureClass failureClass, int? status, string end)
    {
        var row = new FailureRow();
        for (int i = 0; i < 5; i++)
            row.Fail(new(TimeSpan.Zero, failureClass, status), memory: 5);

        var found = CallRules.Find(Host, AlertRule.From(new() { Type = AlertRuleType.ConsecutiveFailures }), row, TimeSpan.Zero,
            _ => false, false, false).ShouldHaveSingleItem();

        found.Detail.ShouldBe($"5 calls in a row have failed, {end}");
        found.Values.ShouldBe([("failuresInARow", 5)]);
    }

    private static TimeSpan Take(FailureRow calls, char step, TimeSpan now)
    {
        if (step is 'm' or 'h')
            return now + (step is 'm' ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(1));
        (FailureClass failureClass, int attempts, int? status) = step switch
        {
            'F' => (FailureClass.Transient, 4, 503),
            'X' => (FailureClass.ServerError, 4, 500),
            'C' => (FailureClass.Transient, 4, null),
            'U' => (FailureClass.Authentication, 1, 401),
            'R' => (FailureClass.RateLimited, 1, 429),
            'N' => (FailureClass.NotFound, 1, 404),
            'V' => (FailureClass.Validation, 1, 422),
            'P' => (FailureClass.Permanent, 1, 501),
            'B' => (FailureClass.Permanent, 1, null),
            'Z' => (FailureClass.Cancelled, 1, null),
            'O' => (FailureClass.Transient, 0, null),
            _ => (FailureClass.None, 1, (int?)200),
        };
        switch (new CallOutcome(failureClass, StopReason.None, attempts, status, IsTenantCircuitOpen: false).Host)
        {
            case OutcomeKind.Success:
                calls.Succeed(now);
                break;
            case OutcomeKind.Failure:
                calls.Fail(new(now, failureClass, status), memory: 5);
                break;
            default:
                break;
        }

        return now;
    }
}
