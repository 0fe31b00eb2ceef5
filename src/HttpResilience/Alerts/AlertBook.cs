namespace HttpResilience;

/// <summary>What is wrong now. Used by one thread at a time.</summary>
internal sealed class AlertBook
{
    // A failure outlasts its alert in the windows of a budget: what it has burnt is no news so soon.
    private static readonly TimeSpan Aftermath = TimeSpan.FromHours(1);

    private readonly Dictionary<IncidentKey, Incident> _open = [];
    private readonly Dictionary<(AlertTopic Topic, string Client), TimeSpan> _wrongUntil = [];

    internal IEnumerable<IncidentKey> Keys => _open.Keys;

    internal bool IsOpen(IncidentKey key) => _open.ContainsKey(key);

    /// <summary>A rule has held when it was last looked at.</summary>
    internal bool Holds(IncidentKey key, AlertRule rule) => _open.TryGetValue(key, out var incident) && incident.Holding.Contains(rule);

    /// <returns>What is to be told; null when nothing is new.</returns>
    internal Alert? Update(IncidentKey key, IReadOnlyList<Finding> findings, AlertTime now, string? version)
    {
        var (incident, told) = Incident.Next(_open.GetValueOrDefault(key), key, findings, now, version, Follows(key, now.Uptime));
        if (incident is null)
            _open.Remove(key);
        else
            _open[key] = incident;
        if (key is { Topic: AlertTopic.Calls or AlertTopic.ErrorBudget, Client: { } client } && (incident is not null || told is not null))
            _wrongUntil[(key.Topic, client)] = now.Uptime;
        return told;
    }

    // Failing calls burn the budget, and what burns is spent: that is one thing, and told with the first.
    private bool Follows(IncidentKey key, TimeSpan now) => key switch
    {
        { Topic: AlertTopic.ErrorBudget, Client: { } client } => WasWrong(AlertTopic.Calls, client, now),
        { Topic: AlertTopic.SpentBudget, Client: { } client } => WasWrong(AlertTopic.Calls, client, now) || WasWrong(AlertTopic.ErrorBudget, client, now),
        _ => false,
    };

    private bool WasWrong(AlertTopic topic, string client, TimeSpan now) => _wrongUntil.TryGetValue((topic, client), out var until) && now - until < Aftermath;
}
