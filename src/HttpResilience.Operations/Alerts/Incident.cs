using System.Globalization;

namespace HttpResilience.Operations;

/// <summary>
/// A problem, from its start to its end: notified when it begins, again after a cool-down while it lasts or when it becomes more severe,
/// and when it is over. A consequence of another incident, such as a burning budget during an outage, is notified only when it is more
/// urgent and lasts for ten minutes, or when it outlasts its cause by a cool-down. A problem that comes back soon after its end is over
/// after five quiet minutes.
/// </summary>
/// <param name="BeganAt">When it began.</param>
/// <param name="HeldAt">When a rule last held.</param>
/// <param name="NotifiedAt">When it was last notified; for a consequence, when its cause was last seen.</param>
/// <param name="Count">The number of notifications; 0 for a consequence of another incident.</param>
/// <param name="HasComeBack">It was over a moment before.</param>
/// <param name="Joined">The rules that have held since it began, in order.</param>
/// <param name="Last">The most recent match of a rule.</param>
/// <param name="Holding">The rules that hold.</param>
internal sealed record Incident(
    Guid Id, IncidentKey Key, DateTimeOffset StartedAt, TimeSpan BeganAt, TimeSpan HeldAt, TimeSpan NotifiedAt, AlertSeverity Severity,
        int Count, bool HasComeBack,
    IReadOnlyList<AlertRuleType> Joined, RuleMatch Last, IReadOnlyList<AlertRule> Holding)
{
    /// <summary>How long a problem that comes back must be gone until it is over.</summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromMinutes(5);

    internal static readonly TimeSpan FollowTimeout = TimeSpan.FromMinutes(10);

    /// <summary>Updates an incident with the rules that hold now.</summary>
    /// <param name="before">Null when there was no incident.</param>
    /// <param name="findings">The rules that hold now.</param>
    /// <returns>The incident from now on, null when it is over; and the alert to send, null when nothing is new.</returns>
    internal static (Incident? Now, Alert? Told) Next(
        Incident? before, IncidentKey key, IReadOnlyList<RuleMatch> findings, AlertTime now, string? version,
            IncidentContext context = default)
    {
        if (findings.Count > 0)
            return before is null ? Begin(key, findings, now, version, context) : before.GoOn(findings, now, version, context);
        if (before is null)
            return default;
        if (before.HasComeBack && now.Uptime - before.HeldAt < Quiet)
            return (before with { Holding = [] }, null);
        return (null, before.Count == 0 ? null : (before with { Count = before.Count + 1 }).ToAlert(AlertPhase.Ended, now, version));
    }

    private static (Incident? Now, Alert? Told) Begin(IncidentKey key, IReadOnlyList<RuleMatch> findings, AlertTime now, string? version,
        IncidentContext context)
    {
        AlertRule[] holding = [.. findings.Select(f => f.Rule)];
        var begun = new Incident(
            Guid.CreateVersion7(now.Utc), key, now.Utc, now.Uptime, now.Uptime, now.Uptime, findings.Max(f => f.Rule.Severity),
                context.Followed is null ? 1 : 0, context.ComesBack,
            [.. holding.Select(r => r.Type).Distinct()], findings[0], holding);
        return (begun, context.Followed is null ? begun.ToAlert(AlertPhase.Started, now, version) : null);
    }

    private (Incident? Now, Alert? Told) GoOn(IReadOnlyList<RuleMatch> findings, AlertTime now, string? version, IncidentContext context)
    {
        var severity = findings.Max(f => f.Rule.Severity);
        AlertRule[] holding = [.. findings.Select(f => f.Rule)];
        bool isRaised = severity > Severity;
        var goesOn = this with
        {
            HeldAt = now.Uptime,
            Severity = isRaised ? severity : Severity,
            Joined = [.. Joined.Union(holding.Select(r => r.Type))],
            Last = findings.FirstOrDefault(f => f.Rule.Severity == severity) ?? findings[0],
            Holding = holding,
        };
        var coolDown = holding.Min(r => r.CoolDown);
        if (Count == 0)
        {
            if (context.Followed is { } told && (severity <= told || now.Uptime - BeganAt < FollowTimeout))
                return (goesOn with { NotifiedAt = now.Uptime }, null);
            if (context.Followed is null && now.Uptime - NotifiedAt < coolDown)
                return (goesOn, null);
        }
        else if (!isRaised && (now.Uptime - NotifiedAt < coolDown || !findings.Any(f => f.LastAt is not { } last || last > NotifiedAt)))
        {
            // Nothing has failed since the last notification: the host is no longer called, for example.
            return (goesOn, null);
        }

        goesOn = goesOn with { NotifiedAt = now.Uptime, Count = Count + 1 };
        return (goesOn, goesOn.ToAlert(Count == 0 ? AlertPhase.Started : AlertPhase.Reminder, now, version));
    }

    private Alert ToAlert(AlertPhase phase, AlertTime now, string? version) => new()
    {
        Id = Id,
        Rule = Joined[0],
        Rules = Joined,
        Phase = phase,
        Severity = Severity,
        ClientName = Clean(Key.Client),
        Authority = Clean(Key.Authority),
        Tenant = Clean(Key.Tenant),
        Subject = Clean(Key.Subject),
        Title = SingleLine.Clean(Last.Title),
        Detail = SingleLine.Clean(phase is AlertPhase.Ended ? Summary(now) : Last.Detail),
        StartedAt = StartedAt,
        At = now.Utc,
        Count = Count,
        Values = Last.Values.ToDictionary(v => v.Name, v => v.Value),
        DeploymentVersion = Clean(version),
    };

    private string Summary(AlertTime now)
    {
        var lasted = now.Utc - StartedAt;
        return string.Create(CultureInfo.InvariantCulture,
            $"It is over after {Durations.Show(lasted > TimeSpan.Zero ? lasted : TimeSpan.Zero)}. "
                + $"Rules that held: {string.Join(", ", Joined)}");
    }

    private static string? Clean(string? text) => text is null ? null : SingleLine.Clean(text);
}

/// <summary>The relation to other incidents and earlier ones.</summary>
/// <param name="Followed">The severity of the incident that this one is a consequence of; null when there is none.</param>
/// <param name="ComesBack">The same was over a moment ago.</param>
internal readonly record struct IncidentContext(AlertSeverity? Followed, bool ComesBack);

/// <summary>A point in time.</summary>
/// <param name="Uptime">Since the watch began: what durations are measured with.</param>
/// <param name="Utc">The wall-clock time, for people.</param>
internal readonly record struct AlertTime(TimeSpan Uptime, DateTimeOffset Utc);
