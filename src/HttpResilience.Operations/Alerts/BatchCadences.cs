namespace HttpResilience.Operations;

/// <summary>How often each named batch finishes, while alerts are evaluated.</summary>
internal sealed class BatchCadences(AlertQueue queue)
{
    private const int MaxBatches = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, BatchCadence> _batches = [];
    private volatile bool _isOn;

    /// <summary>The evaluator runs.</summary>
    internal bool IsOn
    {
        get => _isOn;
        set => _isOn = value;
    }

    internal void Finish(string name)
    {
        if (!IsOn)
            return;
        lock (_gate)
        {
            if (!_batches.TryGetValue(name, out var cadence))
            {
                if (_batches.Count >= MaxBatches)
                    _batches.Remove(_batches.MinBy(b => b.Value.LastAt).Key);
                _batches[name] = cadence = new();
            }

            cadence.Finish(queue.Now);
        }
    }

    internal List<(IncidentKey, IReadOnlyList<RuleMatch>)> Find(AlertPolicy policy, TimeSpan now)
    {
        lock (_gate)
            return [.. _batches.Select(b =>
                (new IncidentKey(AlertTopic.Batch, Subject: b.Key), (IReadOnlyList<RuleMatch>)b.Value.Find(b.Key, policy.Rules, now)))];
    }
}
