namespace HttpResilience.Operations;

/// <summary>The open incidents. Used by one thread at a time.</summary>
internal sealed class IncidentTracker
{
    // A failure outlasts its alert in the windows of a budget: what it has burnt is no news so soon.
    internal static readonly TimeSpan Aftermath = TimeSpan.FromHours(1);

    // A host without calls for this long says nothing about what fails now.
    private static readonly TimeSpan Lately = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan StillFails = TimeSpan.FromMinutes(2);

    private const int MaxEnded = 1000;

    private readonly Dictionary<IncidentKey, Incident> _open = [];
    private readonly Dictionary<IncidentKey, TimeSpan> _ended = [];
    private readonly Dictionary<(AlertTopic Topic, string Client), (TimeSpan Until, TimeSpan FailedAt, AlertSeverity Severity)> _wrong = [];

    internal IEnumerable<IncidentKey> Keys => _open.Keys;

    internal bool IsOpen(IncidentKey key) => _open.ContainsKey(key);

    /// <summary>The shortest cool-down of the rules that hold; zero while none holds.</summary>
    internal TimeSpan CoolDownOf(IncidentKey key) =>
        _open.TryGetValue(key, out var incident) && incident.Holding.Count > 0 ? incident.Holding.Min(r => r.CoolDown) : TimeSpan.Zero;

    /// <summary>The rule held at its last evaluation.</summary>
    internal bool Holds(IncidentKey key, AlertRule rule) => _open.TryGetValue(key, out var incident) && incident.Holding.Contains(rule);

    /// <returns>The alert to send; null when nothing is new.</returns>
    internal Alert? Update(IncidentKey key, IReadOnlyList<RuleMatch> findings, AlertTime now, string? version)
    {
        bool comesBack = key.Topic is AlertTopic.Calls && _ended.TryGetValue(key, out var ended) && now.Uptime - ended < Incident.Quiet;
        var (incident, told) = Incident.Next(_open.GetValueOrDefault(key), key, findings, now, version,
            new(Followed(key, now.Uptime), comesBack));
        if (incident is not null)
            _open[key] = incident;
        else if (_open.Remove(key))
            Ended(key, now.Uptime);
        if (key is { Topic: AlertTopic.Calls or AlertTopic.ErrorBudget, Client: { } client }
            && findings.Any(f => f.LastAt is not { } last || now.Uptime - last < Lately))
            _wrong[(key.Topic, client)] = (now.Uptime, findings.Max(f => f.LastAt ?? now.Uptime), incident!.Severity);
        return told;
    }

    private void Ended(IncidentKey key, TimeSpan now)
    {
        if (_ended.Count >= MaxEnded)
        {
            foreach (var old in _ended.Where(e => now - e.Value >= Incident.Quiet).Select(e => e.Key).ToList())
                _ended.Remove(old);
        }

        if (_ended.Count < MaxEnded)
            _ended[key] = now;
    }

    /// <summary>
    /// Failing calls burn the budget, a burning budget is spent, and an outage is no fault of a deployment: these are notified with the
    /// incident that causes them.
    /// </summary>
    internal static IReadOnlyList<AlertTopic> CausesOf(IncidentKey key) => key switch
    {
        { Topic: AlertTopic.ErrorBudget } => [AlertTopic.Calls],
        { Topic: AlertTopic.SpentBudget } => [AlertTopic.Calls, AlertTopic.ErrorBudget],
        { Topic: AlertTopic.ErrorClass, Subject: var subject } when IsOfOutage(subject) => [AlertTopic.Calls],
        _ => [],
    };

    /// <returns>The severity of the cause; null when there is none.</returns>
    private AlertSeverity? Followed(IncidentKey key, TimeSpan now) => key.Client is not { } client ? null
        : CausesOf(key).Select(cause => WasWrong(cause, client, now)).FirstOrDefault(severity => severity is not null);

    private static bool IsOfOutage(string? failureClass) =>
        failureClass is nameof(FailureClass.Transient) or nameof(FailureClass.ServerError) or nameof(FailureClass.RateLimited);

    private AlertSeverity? WasWrong(AlertTopic topic, string client, TimeSpan now) =>
        !_wrong.TryGetValue((topic, client), out var wrong) || now - wrong.Until >= Aftermath ? null
        // Nothing fails any more: what it leaves behind is nothing to wake anybody for.
        : now - wrong.FailedAt >= StillFails ? AlertSeverity.Critical
        : wrong.Severity;
}
