namespace HttpResilience;

/// <summary>
/// The pauses of the tenants of a host. A 429 speaks of the tenant on whose behalf the call was made; when a second tenant gets one during
/// the pause of the first, it speaks of the host, unless it names a partition.
/// </summary>
internal sealed class TenantPauses
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HostPause> _pauses = [];
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
    /// <returns>Null for that of the host.</returns>
    internal HostPause? GetOrAdd(string tenant, long now, long until, bool isOfPartition)
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
            foreach (var (other, ended) in _pauses)
            {
                if (ended.Until <= now)
                    _pauses.Remove(other);
            }

            return _pauses[tenant] = new();
        }
    }
}
