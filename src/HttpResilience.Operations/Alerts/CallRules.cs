using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>
/// Evaluates the calls to one host, or of one tenant to it. An alert does not end as soon as its condition fails: a row ends with a
/// success, a window when fewer than half of the threshold are left in it.
/// </summary>
internal static class CallRules
{
    /// <param name="rules">Those of the client.</param>
    /// <param name="calls">The recent calls.</param>
    /// <param name="now">Since the watch began.</param>
    /// <param name="isHeld">The rule held at its last evaluation.</param>
    /// <param name="circuitIsOpen">That of the host is open or half open; false for a tenant.</param>
    /// <param name="othersAreWell">The tenant fails alone; false for a host.</param>
    internal static List<RuleMatch> Find(
        CallsOf of, IEnumerable<AlertRule> rules, FailureRow calls, TimeSpan now, Func<AlertRule, bool> isHeld, bool circuitIsOpen,
            bool othersAreWell)
    {
        var findings = new List<RuleMatch>();
        // The circuit opens before the call that opens it has ended.
        var lastAt = calls.LastFailedAt == TimeSpan.MinValue ? now : calls.LastFailedAt;
        foreach (var rule in rules)
        {
            var finding = rule.Type switch
            {
                AlertRuleType.ConsecutiveFailures => Consecutive(of, rule, calls),
                AlertRuleType.FailuresInWindow => InWindow(of, rule, calls, now, isHeld(rule)),
                AlertRuleType.TenantFailing when of.Tenant is not null => TenantFailing(of, rule, calls, now, isHeld(rule), othersAreWell),
                AlertRuleType.CircuitOpened when circuitIsOpen => CircuitOpened(of, rule),
                _ => null,
            };
            if (finding is not null)
                findings.Add(finding with { LastAt = lastAt });
        }

        return findings;
    }

    /// <summary>Whether most others, at least two, have had successes since a row of failures began.</summary>
    internal static bool OthersAreWell(FailureRow failing, IEnumerable<FailureRow> all)
    {
        int well = 0, ill = 0;
        foreach (var other in all)
        {
            if (ReferenceEquals(other, failing))
                continue;
            if (other.Length > 0 && other.LastFailedAt >= failing.BeganAt)
                ill++;
            else if (other.LastSucceededAt >= failing.BeganAt)
                well++;
        }

        return well >= 2 && well > ill;
    }

    private static RuleMatch? Consecutive(CallsOf of, AlertRule rule, FailureRow calls) => calls.Length < rule.Threshold ? null
        : new(rule, of.Fail, Text($"{calls.Length} calls in a row have failed, the last one with {Of(calls.Last)}. {Advice(calls.Last)}"),
            ("failuresInARow", calls.Length));

    private static RuleMatch? InWindow(CallsOf of, AlertRule rule, FailureRow calls, TimeSpan now, bool isHeld)
    {
        int count = calls.OutagesAfter(now - rule.Window);
        return (isHeld ? count * 2 < rule.Threshold : count < rule.Threshold) ? null
            : new(rule, of.Fail, Text($"{count} calls or more have failed in {Durations.Show(rule.Window)}, ")
                + Text($"the last one with {Of(calls.Last)}. {Advice(calls.Last)}"), ("failuresInWindow", count));
    }

    private static RuleMatch? TenantFailing(CallsOf of, AlertRule rule, FailureRow calls, TimeSpan now, bool isHeld, bool othersAreWell)
    {
        int count = Math.Min(calls.Length, calls.FailuresAfter(now - rule.Window));
        bool holds = isHeld ? count > 0 : count >= rule.Threshold && othersAreWell;
        return !holds ? null
            : new(rule, of.Fail, Text($"Others are well, but the last {calls.Length} calls of this tenant have failed, ")
                + Text($"the last one with {Of(calls.Last)}. Check the tenant's credentials and settings"),
                ("failuresInARow", calls.Length));
    }

    private static RuleMatch CircuitOpened(CallsOf of, AlertRule rule) => new(
        rule, of.Fail, "The circuit is open: nothing is sent but a probe now and then, until one succeeds. Check whether the API is up");

    private static string Of(in FailedCall call) =>
        call.StatusCode is { } status ? Text($"{call.FailureClass} ({status})") : Text($"{call.FailureClass} (no response)");

    private static string Advice(in FailedCall last) => last.FailureClass switch
    {
        FailureClass.Authentication => "Check the API key",
        FailureClass.Authorization => "Check permissions",
        FailureClass.RateLimited => "Check the pace and the quota",
        _ => "Check whether the API is up",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The client, host and tenant of the calls.</summary>
internal readonly record struct CallsOf(string Client, string Authority, string? Tenant)
{
    internal IncidentKey Key => new(AlertTopic.Calls, Client, Authority, Tenant);

    internal string Fail => Tenant is null ? $"{Client}: calls to {Authority} fail"
        : $"{Client}: calls of tenant {Tenant} to {Authority} fail";
}
