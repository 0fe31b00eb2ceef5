using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>
/// The circuits of one client, bounded: above the limit the closed ones that were used least recently are forgotten. A circuit that is open is
/// never forgotten, one that nobody has probed since its break ended goes last.
/// </summary>
internal sealed class CircuitCollection
{
    private readonly ConcurrentDictionary<HttpAuthority, CircuitMachine> _circuits = new();
    private readonly Lock _evicting = new();
    private int _count;

    internal int Count => Volatile.Read(ref _count);

    internal CircuitMachine For(Uri uri, CircuitPolicy policy, long now)
    {
        var authority = new HttpAuthority(uri);
        return _circuits.TryGetValue(authority, out var circuit) ? circuit : Add(authority, policy, now);
    }

    private CircuitMachine Add(HttpAuthority authority, CircuitPolicy policy, long now)
    {
        var added = new CircuitMachine(authority);
        var circuit = _circuits.GetOrAdd(authority, added);
        if (ReferenceEquals(circuit, added) && Interlocked.Increment(ref _count) > policy.MaxCircuits)
            Evict(policy.MaxCircuits, now, added);
        return circuit;
    }

    // A tenth at a time, so that looking through all of them is paid for by many additions.
    private void Evict(int limit, long now, CircuitMachine added)
    {
        lock (_evicting)
        {
            int excess = Count - limit;
            if (excess <= 0)
                return;

            var candidates = new List<(bool IsOpen, long LastUsed, CircuitMachine Circuit)>(Count);
            foreach (var (_, circuit) in _circuits)
            {
                bool isOpen = circuit.State is not CircuitState.Closed;
                if (!ReferenceEquals(circuit, added) && !(isOpen && circuit.OpenUntil > now))
                    candidates.Add((isOpen, circuit.LastUsed, circuit));
            }

            candidates.Sort(static (a, b) => a.IsOpen != b.IsOpen ? a.IsOpen.CompareTo(b.IsOpen) : a.LastUsed.CompareTo(b.LastUsed));
            foreach (var (_, _, circuit) in candidates.Take(excess + limit / 10))
            {
                if (_circuits.TryRemove(circuit.Authority, out _))
                    Interlocked.Decrement(ref _count);
            }
        }
    }
}
