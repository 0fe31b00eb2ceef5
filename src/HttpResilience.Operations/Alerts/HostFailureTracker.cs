namespace HttpResilience.Operations;

/// <summary>
/// The recent failures of one host, tenants apart. Created at the first failure: a working host has none. A tenant whose calls fail in a
/// row counts once for the host, as it does for the circuit: one failing customer is not an outage of the host.
/// </summary>
internal sealed class HostFailureTracker(ObservedClient client, ObservedHost host)
{
    internal const int MaxTenants = 1000;

    private readonly Lock _gate = new();
    private readonly FailureRow _all = new();
    private readonly Dictionary<string, TenantRow> _tenants = [];
    private TenantRow? _lastFailed;
    private int _isQueued;
    private bool _isQuiet = true;
    private bool _hasTenants;

    internal string ClientName => client.Name;

    internal string Authority { get; } = host.Authority;

    /// <summary>For longer than calls wait for it.</summary>
    internal bool CircuitIsOpen => host.CircuitState is CircuitState.Open or CircuitState.HalfOpen && client.HasOutage(host);

    /// <summary>Queues the host for the next evaluation.</summary>
    /// <returns>False when it is there already.</returns>
    internal bool Enlist() => Interlocked.Exchange(ref _isQueued, 1) == 0;

    internal void Delist() => Volatile.Write(ref _isQueued, 0);

    /// <summary>A success changes nothing.</summary>
    /// <param name="tenant">Of the call.</param>
    internal bool IsQuiet(string? tenant) => Volatile.Read(ref _isQuiet) && (tenant is null || !Volatile.Read(ref _hasTenants));

    /// <param name="forHost">False when only the tenant failed.</param>
    /// <param name="memory">How many failures are remembered.</param>
    internal void Fail(string? tenant, in FailedCall call, bool forHost, int memory)
    {
        lock (_gate)
        {
            var row = tenant is null ? null : RowOf(tenant, call.At);
            row?.Calls.Fail(call, memory);
            if (forHost && (row is null || (!row.IsAlone && row != _lastFailed)))
                _all.Fail(call, memory);
            if (forHost)
                _lastFailed = row;
            Settle();
        }
    }

    /// <returns>Whether a row has ended.</returns>
    internal bool Succeed(string? tenant, TimeSpan at)
    {
        lock (_gate)
        {
            var row = tenant is null || _tenants.Count == 0 ? null : RowOf(tenant, at);
            bool ends = _all.Length > 0 || row?.Calls.Length > 0;
            _all.Succeed(at);
            row?.Calls.Succeed(at);
            Settle();
            return ends;
        }
    }

    /// <summary>Has the rules look at it, while nothing changes.</summary>
    /// <param name="look">Gets the calls to the host, and those of the tenants that fail with how the others are.</param>
    internal TResult Read<TState, TResult>(TState state, Func<TState, FailureRow, IReadOnlyDictionary<string, TenantRow>, TResult> look)
    {
        lock (_gate)
            return look(state, _all, _tenants);
    }

    /// <summary>Forgets tenants when none has failed since a time.</summary>
    internal void Forget(TimeSpan before)
    {
        lock (_gate)
        {
            if (_tenants.Values.Any(t => t.IsAlone || t.Calls.Length > 0 && t.Calls.LastFailedAt > before || t.Calls.LastFailedAt > before))
                return;
            _tenants.Clear();
            _lastFailed = null;
            Settle();
        }
    }

    private void Settle()
    {
        Volatile.Write(ref _isQuiet, _all.Length == 0);
        Volatile.Write(ref _hasTenants, _tenants.Count > 0);
    }

    private TenantRow RowOf(string tenant, TimeSpan now)
    {
        if (_tenants.TryGetValue(tenant, out var row))
            return row;
        if (_tenants.Count >= MaxTenants)
            Evict();
        row = new();
        _tenants.Add(tenant, row);
        return row;
    }

    // A tenth at a time, so that looking through all of them is paid for by many additions.
    private void Evict()
    {
        string[] oldest = [.. _tenants.Where(t => !t.Value.IsAlone).OrderBy(t => t.Value.Calls.Length > 0)
            .ThenBy(t => t.Value.Calls.LastSeenAt).Take(MaxTenants / 10).Select(t => t.Key)];
        foreach (string tenant in oldest)
            _tenants.Remove(tenant);
    }
}

/// <summary>One tenant's calls to a host.</summary>
internal sealed class TenantRow
{
    internal FailureRow Calls { get; } = new();

    /// <summary>There is an alert about this tenant: its failures say nothing about the host.</summary>
    internal bool IsAlone { get; set; }
}
