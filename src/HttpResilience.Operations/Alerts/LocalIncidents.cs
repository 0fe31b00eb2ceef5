namespace HttpResilience.Operations;

/// <summary>The incidents that this process observes, by the key in the store. The evaluator writes them while they are read.</summary>
internal sealed class LocalIncidents
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LocalIncident> _incidents = [];

    internal IReadOnlyList<string> Keys
    {
        get
        {
            lock (_gate)
                return [.. _incidents.Keys];
        }
    }

    internal LocalIncident Of(string key)
    {
        lock (_gate)
            return _incidents.GetValueOrDefault(key) ?? LocalIncident.None;
    }

    /// <summary>After an evaluation.</summary>
    /// <returns>False when nothing is new.</returns>
    internal bool Report(IncidentKey incident, Alert? alert, bool isOpen, TimeSpan coolDown)
    {
        string key = SharedIncidentKey.Of(incident);
        lock (_gate)
        {
            var before = _incidents.GetValueOrDefault(key) ?? LocalIncident.None;
            _incidents[key] = before.After(incident, alert, isOpen, coolDown);
            return alert is not null || before.IsOpen != isOpen;
        }
    }

    /// <summary>
    /// Removes an incident that has ended, and a wish for a reminder: if none was due by the row, another process has sent it.
    /// </summary>
    /// <param name="read">The incident as it was read; nothing changes when it was written since.</param>
    internal void Settle(string key, LocalIncident read)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_incidents.GetValueOrDefault(key), read))
                return;
            if (read.IsOpen)
                _incidents[key] = read with { WantsReminder = false };
            else
                _incidents.Remove(key);
        }
    }
}
