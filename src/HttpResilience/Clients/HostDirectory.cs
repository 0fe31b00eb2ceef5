using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>
/// The hosts of one client, bounded: above the limit the least recently used are evicted, those with a closed circuit first. Hosts that
/// must not be called now (open circuit, pause) are kept up to as many again, isolated ones and those with waiting calls always.
/// </summary>
internal sealed class HostDirectory
{
    // A set of which the values say nothing.
    private readonly ConcurrentDictionary<HostState, bool> _hosts;
    private readonly ConcurrentDictionary<HostState, bool>.AlternateLookup<HostKey> _byKey;
    private readonly Lock _evicting = new();
    private int _count;
    // After a search that found too few to evict, the number above which the next one is worth its time.
    private int _searchAbove;

    internal HostDirectory()
    {
        _hosts = new(HostKey.Comparer);
        _byKey = _hosts.GetAlternateLookup<HostKey>();
    }

    internal int Count => Volatile.Read(ref _count);

    internal IEnumerable<HostState> All => _hosts.Select(h => h.Key);

    /// <summary>The state of a host; null for a host that was not called yet.</summary>
    internal HostState? Find(HostKey key) => _byKey.TryGetValue(key, out var host, out _) ? host : null;

    /// <summary>A call to one of the hosts would be rejected, or would have to wait.</summary>
    internal bool AnyIsUnavailable(ResiliencePolicy policy, long now) => All.Any(h => h.IsUnavailable(policy, now));

    /// <summary>The circuit of the host has not been closed for longer than calls wait for it.</summary>
    internal static bool HasOutage(ObservedHost host, long now) =>
        ((HostState)host).Circuit is { State: not CircuitState.Closed, Outage: { } outage } && outage.IsLongAt(now);

    /// <summary>Finds the host that a call goes to, and the tenant's part of it where that has a circuit of its own.</summary>
    internal void FindFor(HttpCall call, Uri? uri)
    {
        if (uri is not { IsAbsoluteUri: true })
            return;

        var policy = call.Policy;
        var authority = new HttpAuthority(uri);
        call.Host = GetOrAdd(new(authority, null), policy.MaxHosts, call.StartedAt);
        if (call.Tenant is { } tenant && policy.CircuitBreaker?.Isolation is CircuitIsolation.AuthorityAndTenant)
            call.TenantHost = GetOrAdd(new(authority, tenant), policy.MaxHosts, call.StartedAt);
        if (policy.Retry.Budget is { } budget)
            call.Host!.CountCall(budget, call.StartedAt);
    }

    /// <summary>Applies the Retry-After of an attempt to the host that sent it, which a redirect may have led to.</summary>
    /// <returns>The host whose pause it starts; null when it starts none.</returns>
    internal HostKey? ApplyRetryAfter(HttpCall call, in AttemptResult result, long endedAt)
    {
        var host = call.RedirectedTo is { } uri
            ? GetOrAdd(new(new HttpAuthority(uri), null), call.Policy.MaxHosts, call.StartedAt)
            : call.Host;
        return host?.ApplyRetryAfter(call.Policy, result, call.Tenant, endedAt) is true ? host.Key : null;
    }

    internal HostState GetOrAdd(HostKey key, int limit, long now)
    {
        if (!_byKey.TryGetValue(key, out var host, out _))
            host = Add(key, limit, now);
        host.Use(now);
        return host;
    }

    private HostState Add(HostKey key, int limit, long now)
    {
        var added = new HostState(key);
        while (!_hosts.TryAdd(added, true))
        {
            if (Find(key) is { } other)
                return other;
        }

        if (Interlocked.Increment(ref _count) > Math.Max(limit, Volatile.Read(ref _searchAbove)))
            Evict(limit, now, added);
        return added;
    }

    // A tenth at a time: the search through all hosts then serves many additions.
    private void Evict(int limit, long now, HostState added)
    {
        lock (_evicting)
        {
            int excess = Count - limit;
            if (excess <= 0)
                return;

            int step = Math.Max(1, limit / 10);
            var candidates = new List<(bool IsClosed, long LastUsed, HostState Host)>(Count);
            var needed = new List<(long LastUsed, HostState Host)>();
            foreach (var (host, _) in _hosts)
            {
                if (ReferenceEquals(host, added) || host.IsHeld)
                    continue;
                if (host.IsNeeded(now))
                    needed.Add((host.LastUsed, host));
                else
                    candidates.Add((host.Circuit.State is CircuitState.Closed, host.LastUsed, host));
            }

            candidates.Sort(static (a, b) =>
                a.IsClosed != b.IsClosed ? b.IsClosed.CompareTo(a.IsClosed) : a.LastUsed.CompareTo(b.LastUsed));
            Remove(candidates.Take(excess + limit / 10).Select(c => c.Host));
            long most = 2L * limit;
            if (Count > most - step)
            {
                needed.Sort(static (a, b) => a.LastUsed.CompareTo(b.LastUsed));
                Remove(needed.Take((int)(Count - (most - step))).Select(n => n.Host));
            }

            Volatile.Write(ref _searchAbove, Count > limit ? Count + step : 0);
        }

        void Remove(IEnumerable<HostState> hosts)
        {
            foreach (var host in hosts)
            {
                if (_hosts.TryRemove(host, out _))
                    Interlocked.Decrement(ref _count);
            }
        }
    }
}
