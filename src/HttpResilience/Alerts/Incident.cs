using System.Globalization;

namespace HttpResilience;

/// <summary>
/// One thing that is wrong, from its start to its end: told once when it begins, again after a cool-down while it holds or when it becomes more severe, and once when it is over. What follows
/// from something that is told already, as a burning budget does from an outage, is told only when it holds for a cool-down longer than that.
/// </summary>
/// <param name="ToldAt">When it was last told.</param>
/// <param name="Count">How often it has been told; 0 when it follows from something that is told already.</param>
/// <param name="Joined">The rules that have held since it began, in order.</param>
/// <param name="Last">What was last found.</param>
/// <param name="Holding">The rules that hold.</param>
internal sealed record Incident(
    Guid Id, IncidentKey Key, DateTimeOffset StartedAt, TimeSpan ToldAt, AlertSeverity Severity, int Count, IReadOnlyList<AlertRuleType> Joined, Finding Last, IReadOnlyList<AlertRule> Holding)
{
    /// <summary>Goes on from what was known with what is found now.</summary>
    /// <param name="before">Null when nothing was wrong.</param>
    /// <param name="findings">The rules that hold now.</param>
    /// <param name="follows">It follows from something that is told already.</param>
    /// <returns>What is known from now on, null when nothing is wrong; and what is to be told, null when nothing is new.</returns>
    internal static (Incident? Now, Alert? Told) Next(Incident? before, IncidentKey key, IReadOnlyList<Finding> findings, AlertTime now, string? version, bool follows = false)
    {
        if (findings.Count == 0)
            return (null, before is null or { Count: 0 } ? null : (before with { Count = before.Count + 1 }).Tell(AlertPhase.Ended, now, version));

        var severity = findings.Max(f => f.Rule.Severity);
        AlertRule[] holding = [.. findings.Select(f => f.Rule)];
        if (before is null)
        {
            var begun = new Incident(Guid.CreateVersion7(now.Utc), key, now.Utc, now.Uptime, severity, follows ? 0 : 1, [.. holding.Select(r => r.Type).Distinct()], findings[0], holding);
            return (begun, follows ? null : begun.Tell(AlertPhase.Started, now, version));
        }

        bool isRaised = severity > before.Severity;
        var goesOn = before with
        {
            Severity = isRaised ? severity : before.Severity,
            Joined = [.. before.Joined.Union(holding.Select(r => r.Type))],
            Last = findings.FirstOrDefault(f => f.Rule.Severity == severity) ?? findings[0],
            Holding = holding,
        };
        if (follows && before.Count == 0)
            return (goesOn with { ToldAt = now.Uptime }, null);
        if (!(isRaised && before.Count > 0) && now.Uptime - before.ToldAt < holding.Min(r => r.CoolDown))
            return (goesOn, null);
        goesOn = goesOn with { ToldAt = now.Uptime, Count = before.Count + 1 };
        return (goesOn, goesOn.Tell(before.Count == 0 ? AlertPhase.Started : AlertPhase.Reminder, now, version));
    }

    private Alert Tell(AlertPhase phase, AlertTime now, string? version) => new()
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
        Title = Redaction.Clean(Last.Title),
        Detail = Redaction.Clean(phase is AlertPhase.Ended ? Summary(now) : Last.Detail),
        StartedAt = StartedAt,
        At = now.Utc,
        Count = Count,
        Values = Last.Values.ToDictionary(v => v.Name, v => v.Value),
        DeploymentVersion = Clean(version),
    };

    private string Summary(AlertTime now)
    {
        var lasted = now.Utc - StartedAt;
        return string.Create(CultureInfo.InvariantCulture, $"It is over after {Durations.Show(lasted > TimeSpan.Zero ? lasted : TimeSpan.Zero)}. Rules that held: {string.Join(", ", Joined)}");
    }

    private static string? Clean(string? text) => text is null ? null : Redaction.Clean(text);
}

/// <summary>A point in time.</summary>
/// <param name="Uptime">Since the watch began: what durations are measured with.</param>
/// <param name="Utc">What the wall clock shows: what people are told.</param>
internal readonly record struct AlertTime(TimeSpan Uptime, DateTimeOffset Utc);
