namespace HttpResilience;

/// <summary>What is wrong now. Used by one thread at a time.</summary>
internal sealed class AlertBook
{
    private readonly Dictionary<IncidentKey, Incident> _open = [];

    internal IEnumerable<IncidentKey> Keys => _open.Keys;

    internal bool IsOpen(IncidentKey key) => _open.ContainsKey(key);

    /// <summary>A rule has held when it was last looked at.</summary>
    internal bool Holds(IncidentKey key, AlertRule rule) => _open.TryGetValue(key, out var incident) && incident.Holding.Contains(rule);

    /// <returns>What is to be told; null when nothing is new.</returns>
    internal Alert? Update(IncidentKey key, IReadOnlyList<Finding> findings, AlertTime now, string? version)
    {
        var (incident, told) = Incident.Next(_open.GetValueOrDefault(key), key, findings, now, version);
        if (incident is null)
            _open.Remove(key);
        else
            _open[key] = incident;
        return told;
    }
}
