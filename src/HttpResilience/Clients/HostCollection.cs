using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>
/// The hosts of one client, bounded: above the limit those that were used least recently are forgotten, first the ones whose circuit is closed. A host
/// that is to be left alone (open or isolated circuit, pause) is never forgotten.
/// </summary>
internal sealed class HostCollection
{
    private readonly ConcurrentDictionary<HostKey, HostState> _hosts = new();
    private readonly Lock _evicting = new();
    private int _count;

    internal int Count => Volatile.Read(ref _count);

    internal IEnumerable<HostState> All => _hosts.Select(h => h.Value);

    /// <summary>Null for a host that nothing is known of.</summary>
    internal HostState? Find(HostKey key) => _hosts.GetValueOrDefault(key);

    internal HostState For(HostKey key, int limit, long now)
    {
        if (!_hosts.TryGetValue(key, out var host))
            host = Add(key, limit, now);
        host.Use(now);
        return host;
    }

    private HostState Add(HostKey key, int limit, long now)
    {
        var added = new HostState(key);
        var host = _hosts.GetOrAdd(key, added);
        if (ReferenceEquals(host, added) && Interlocked.Increment(ref _count) > limit)
            Evict(limit, now, added);
        return host;
    }

    // A tenth at a time, so that looking through all of them is paid for by many additions.
    private void Evict(int limit, long now, HostState added)
    {
        lock (_evicting)
        {
            int excess = Count - limit;
            if (excess <= 0)
                return;

            var candidates = new List<(bool IsClosed, long LastUsed, HostState Host)>(Count);
            foreach (var (_, host) in _hosts)
            {
                if (!ReferenceEquals(host, added) && !host.IsNeeded(now))
                    candidates.Add((host.Circuit.State is CircuitState.Closed, host.LastUsed, host));
            }

            candidates.Sort(static (a, b) => a.IsClosed != b.IsClosed ? b.IsClosed.CompareTo(a.IsClosed) : a.LastUsed.CompareTo(b.LastUsed));
            foreach (var (_, _, host) in candidates.Take(excess + limit / 10))
            {
                if (_hosts.TryRemove(host.Key, out _))
                    Interlocked.Decrement(ref _count);
            }
        }
    }
}
