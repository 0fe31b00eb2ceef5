using System.Collections.Concurrent;

namespace HttpResilience.Operations;

/// <summary>The last alert of each incident that this process does not share by a store, for a day after its end.</summary>
internal sealed class LocalAlerts(TimeProvider time)
{
    // As long as the store keeps them.
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    private const int MaxEnded = 1000;

    private readonly ConcurrentDictionary<Guid, Alert> _alerts = [];

    internal IEnumerable<Alert> All => _alerts.Values;

    internal void Add(Alert alert)
    {
        _alerts[alert.Id] = alert;
        var ended = _alerts.Values.Where(a => a.Phase is AlertPhase.Ended).OrderByDescending(a => a.At).ToList();
        foreach (var old in ended.Where((a, i) => i >= MaxEnded || time.GetUtcNow() - a.At > Kept))
            _alerts.TryRemove(old.Id, out _);
    }
}
