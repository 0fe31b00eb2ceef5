using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>A thread-safe set of hosts, found by their keys.</summary>
internal sealed class HostSet
{
    // The values say nothing.
    private readonly ConcurrentDictionary<HostState, bool> _hosts;
    private readonly ConcurrentDictionary<HostState, bool>.AlternateLookup<HostKey> _byKey;

    internal HostSet()
    {
        _hosts = new(concurrencyLevel: 1, capacity: 1, HostKey.Comparer);
        _byKey = _hosts.GetAlternateLookup<HostKey>();
    }

    internal IEnumerable<HostState> All => _hosts.Select(h => h.Key);

    internal HostState? Find(HostKey key) => _byKey.TryGetValue(key, out var host, out _) ? host : null;

    /// <returns>False when it has a host of that key.</returns>
    internal bool TryAdd(HostState host) => _hosts.TryAdd(host, true);

    internal void Remove(HostState host) => _hosts.TryRemove(host, out _);
}
