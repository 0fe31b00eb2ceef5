namespace HttpResilience;

/// <summary>
/// The pauses of the tenants of a host. A 429 speaks of the tenant on whose behalf the call was made; when a second tenant gets one during
/// the pause of the first, it speaks of the host, unless it names a partition.
/// </summary>
internal sealed class TenantPauses
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HostPause> _pauses = [];
    private readonly PriorityQueue<string, long> _ends = new();
    private (string? Tenant, long Until) _limited;
    private long _until;

    /// <summary>The end of the longest pause.</summary>
    internal long Until => Volatile.Read(ref _until);

    /// <summary>The pause of a tenant; null when it has none.</summary>
    internal HostPause? Find(string tenant)
    {
        lock (_gate)
            return _pauses.GetValueOrDefault(tenant);
    }

    /// <summary>The pause that a hint to a tenant applies to.</summary>
    /// <param name="now">The timestamp of the response.</param>
    /// <param name="until">The timestamp at which the pause ends.</param>
    /// <param name="isOfPartition">The hint names a partition of the callers.</param>
    /// <param name="limit">The number of pauses; beyond it the one that ends first is forgotten.</param>
    /// <returns>Null for that of the host.</returns>
    internal HostPause? GetOrAdd(string tenant, long now, long until, bool isOfPartition, int limit = int.MaxValue)
    {
        lock (_gate)
        {
            if (!isOfPartition)
            {
                bool isRunning = _limited.Until > now;
                if (isRunning && _limited.Tenant != tenant)
                    return null;
                _limited = (tenant, isRunning ? Math.Max(_limited.Until, until) : until);
            }

            Volatile.Write(ref _until, Math.Max(_until, until));
            if (_pauses.TryGetValue(tenant, out var pause))
                return pause;
            while (_ends.TryPeek(out _, out long end) && (end <= now || _pauses.Count >= limit))
                ForgetFirst(now, limit);
            _ends.Enqueue(tenant, until);
            return _pauses[tenant] = new();
        }
    }

    // A pause may have been made longer since it was queued.
    private void ForgetFirst(long now, int limit)
    {
        _ends.TryDequeue(out string? tenant, out long queued);
        long end = Math.Max(queued, _pauses[tenant!].Until);
        bool isFirst = !_ends.TryPeek(out _, out long next) || end <= next;
        if (end > now && !(isFirst && _pauses.Count >= limit))
            _ends.Enqueue(tenant!, end);
        else
            _pauses.Remove(tenant!);
    }
}
