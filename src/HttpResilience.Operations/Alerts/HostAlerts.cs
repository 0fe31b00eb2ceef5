namespace HttpResilience.Operations;

/// <summary>Judges hosts and their tenants by the rules about calls. Used by one thread at a time.</summary>
internal sealed class HostAlerts(IncidentTracker book)
{
    // More alerts about tenants of one host add nothing.
    private const int MaxTenants = 10;

    /// <returns>The matches for the host and for each tenant that fails alone, and the ends of alerts for the others.</returns>
    internal IReadOnlyList<(IncidentKey Key, IReadOnlyList<RuleMatch> Findings)> Look(HostFailureTracker host,
        IReadOnlyList<AlertRule> rules, TimeSpan now)
    {
        AlertRule[] ours = [.. rules.Where(r => r.IsAboutCalls && r.AppliesTo(host.ClientName))];
        return host.Read((This: this, host, ours, now),
            static (state, all, tenants) => state.This.Find(state.host, state.ours, state.now, all, tenants));
    }

    private List<(IncidentKey Key, IReadOnlyList<RuleMatch> Findings)> Find(
        HostFailureTracker host, AlertRule[] rules, TimeSpan now, FailureRow all, IReadOnlyDictionary<string, TenantRow> tenants)
    {
        var ofHost = new CallsOf(host.ClientName, host.Authority, null);
        var findings = CallRules.Find(ofHost, rules, all, now, rule => book.Holds(ofHost.Key, rule), host.CircuitIsOpen,
            othersAreWell: false);
        var found = new List<(IncidentKey, IReadOnlyList<RuleMatch>)> { (ofHost.Key, findings) };
        int open = tenants.Keys.Count(t => book.IsOpen((ofHost with { Tenant = t }).Key));
        foreach (var (tenant, row) in tenants)
        {
            var ofTenant = ofHost with { Tenant = tenant };
            bool isOpen = book.IsOpen(ofTenant.Key);
            // When the host fails for all, its tenants get no alerts of their own.
            if (!isOpen && (row.Calls.Length == 0 || findings.Count > 0 || open >= MaxTenants))
                continue;

            bool othersAreWell = !isOpen && rules.Any(r => r.Type is AlertRuleType.TenantFailing && row.Calls.Length >= r.Threshold)
                && CallRules.OthersAreWell(row.Calls, tenants.Values.Select(t => t.Calls));
            var ofRow = CallRules.Find(ofTenant, rules, row.Calls, now, rule => book.Holds(ofTenant.Key, rule), circuitIsOpen: false,
                othersAreWell || isOpen);
            row.IsAlone = ofRow.Count > 0;
            open += !isOpen && row.IsAlone ? 1 : 0;
            if (isOpen || row.IsAlone)
                found.Add((ofTenant.Key, ofRow));
        }

        return found;
    }
}
