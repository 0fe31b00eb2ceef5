namespace HttpResilience;

/// <summary>
/// The quotas of one host: which of them a call uses, when it may start, and the pauses of the parts of the API whose quota is used up.
/// Timestamps are arguments and results.
/// </summary>
internal sealed class HostQuotas
{
    private const int MaxWindows = 64;

    private readonly Lock _gate = new();
    private readonly QuotaRoutes _routes = new();
    private readonly Dictionary<string, TenantQuotas> _tenants = new(StringComparer.Ordinal);
    private readonly TenantQuotas _ofHost = new();
    private readonly TenantPauses _parts = new();
    private volatile bool _hasParts;

    /// <summary>The end of the longest pause of a part.</summary>
    internal long PausedUntil => _parts.Until;

    /// <summary>Whether responses have named parts of the API.</summary>
    internal bool HasParts => _hasParts;

    /// <summary>The number of quotas and tenants that are known.</summary>
    internal int Size
    {
        get
        {
            lock (_gate)
                return _ofHost.Windows.Count + _tenants.Sum(t => 1 + t.Value.Windows.Count);
        }
    }

    /// <summary>The pause of the parts that a call belongs to; null when there is none.</summary>
    internal HostPause? PauseAt(long now, string? tenant, in QuotaRoute route)
    {
        if (_parts.Until <= now)
            return null;
        HostPause? longest = null;
        foreach (string part in PartsOf(route))
        {
            if (_parts.Find(KeyOf(tenant, part)) is { } pause && pause.Until > now && !(pause.Until <= longest?.Until))
                longest = pause;
        }

        return longest;
    }

    /// <summary>The pause of a part whose quota is used up.</summary>
    /// <param name="until">Its end.</param>
    /// <param name="limit">The number of pauses; beyond it the one that ends first is forgotten.</param>
    internal HostPause GetOrAddPause(string? tenant, string part, long now, long until, int limit) =>
        _parts.GetOrAdd(KeyOf(tenant, part), now, until, isOfPartition: true, limit)!;

    /// <summary>A response has named the parts of its request.</summary>
    internal void Learn(in QuotaRoute route, List<QuotaReport> reports)
    {
        string[] parts = [.. reports.Select(r => r.Part).OfType<string>().Distinct()];
        lock (_gate)
            _routes.Learn(route, parts);
        _hasParts = true;
    }

    /// <summary>Gives a call its start, unless that is too late.</summary>
    /// <param name="latest">The timestamp before which it must start.</param>
    /// <returns>The earliest start.</returns>
    internal long Reserve(QuotaTurn turn, in QuotaRoute route, long now, long latest, int maxTenants)
    {
        lock (_gate)
        {
            turn.Take(WindowsOf(turn.Tenant, route, now, maxTenants));
            long start = now;
            foreach (var window in turn.Windows)
                start = Math.Max(start, window.Earliest(turn.IsFirst, now));
            if (start >= latest)
                return start;
            foreach (var window in turn.Windows)
                window.Reserve(start);
            turn.State = QuotaTurnState.Reserved;
            return start;
        }
    }

    /// <summary>Starts a call whose time has come.</summary>
    /// <returns>False when less is left than was expected: it needs another start.</returns>
    internal bool TryStart(QuotaTurn turn, long now)
    {
        lock (_gate)
        {
            foreach (var window in turn.Windows)
                window.Release();
            turn.State = QuotaTurnState.None;
            foreach (var window in turn.Windows)
            {
                if (window.MayStart(now))
                    continue;
                turn.IsFirst = true;
                return false;
            }

            Start(turn, now);
            return true;
        }
    }

    /// <summary>A call that has a start, or was started but not sent, gives it back.</summary>
    internal void GiveBack(QuotaTurn turn, long now)
    {
        lock (_gate)
        {
            if (turn.State is QuotaTurnState.Reserved)
            {
                foreach (var window in turn.Windows)
                    window.Release();
            }
            else if (turn.State is QuotaTurnState.Started)
            {
                End(turn, wasSent: false, now);
            }

            turn.State = QuotaTurnState.None;
        }
    }

    /// <summary>A call that was sent has ended.</summary>
    /// <param name="reports">The quotas that its response reports.</param>
    /// <param name="ticks">Converts a time to ticks of the clock.</param>
    internal void End(
        QuotaTurn turn, in QuotaRoute route, List<QuotaReport> reports, Func<TimeSpan, long> ticks, long now, int maxTenants)
    {
        lock (_gate)
        {
            if (turn.State is QuotaTurnState.Started)
                End(turn, wasSent: true, now);
            turn.State = QuotaTurnState.None;
            foreach (var report in reports)
            {
                if (GetOrAdd(report, turn.Tenant, now, maxTenants) is not { } window)
                    continue;
                long uncounted = turn.Uncounted(report, window, _ofHost);
                long length = report.Window is { } time ? ticks(time) : 0;
                window.Report(
                    report, report.Reset is { } reset ? ticks(reset) : null, length, uncounted, turn.ReturnedBefore(window), now);
            }
        }
    }

    private void Start(QuotaTurn turn, long now)
    {
        turn.Note(_ofHost);
        foreach (var window in turn.Windows)
            window.Start(now);
        _ofHost.Started++;
        turn.Of!.Started++;
        turn.Of.StartedWithoutPart += turn.HasPart ? 0 : 1;
        turn.State = QuotaTurnState.Started;
    }

    private void End(QuotaTurn turn, bool wasSent, long now)
    {
        foreach (var window in turn.Windows)
            window.End(wasSent, now);
        _ofHost.Ended++;
        turn.Of!.Ended++;
        turn.Of.EndedWithoutPart += turn.HasPart ? 0 : 1;
    }

    private (TenantQuotas Of, List<QuotaWindow> Windows, bool HasPart) WindowsOf(
        string? tenant, in QuotaRoute route, long now, int maxTenants)
    {
        var own = Of(tenant, now, maxTenants);
        List<QuotaWindow> windows = [];
        var parts = _hasParts ? _routes.PartsOf(route) : [];
        foreach (var ((_, part), window) in _ofHost.Windows.Concat(own.Windows))
        {
            if (part is null || parts.Contains(part))
                windows.Add(window);
        }

        return (own, windows, parts.Count > 0);
    }

    private QuotaWindow? GetOrAdd(in QuotaReport report, string? tenant, long now, int maxTenants)
    {
        var windows = (report.IsOfHost ? _ofHost : Of(tenant, now, maxTenants)).Windows;
        var key = (report.Name, report.Part);
        if (windows.TryGetValue(key, out var window))
            return window;
        if (windows.Count >= MaxWindows)
        {
            if (!windows.Any(w => w.Value.IsIdle))
                return null;
            windows.Remove(windows.Where(w => w.Value.IsIdle).MinBy(w => w.Value.LastUsed).Key);
        }

        return windows[key] = new();
    }

    private TenantQuotas Of(string? tenant, long now, int max)
    {
        string key = tenant ?? "";
        if (!_tenants.TryGetValue(key, out var quotas))
        {
            if (_tenants.Count >= max && _tenants.Any(t => t.Value.IsIdle))
                _tenants.Remove(_tenants.Where(t => t.Value.IsIdle).MinBy(t => t.Value.LastUsed).Key);
            _tenants[key] = quotas = new();
        }

        quotas.LastUsed = now;
        return quotas;
    }

    private IReadOnlyList<string> PartsOf(in QuotaRoute route)
    {
        lock (_gate)
            return _routes.PartsOf(route);
    }

    // A tenant cannot have a line feed in its name and be mistaken for another one with a part.
    private static string KeyOf(string? tenant, string part) => tenant is null ? part : $"{tenant.Length}\n{tenant}\n{part}";
}

/// <summary>The quotas of one tenant of a host.</summary>
internal sealed class TenantQuotas
{
    internal Dictionary<(string Name, string? Part), QuotaWindow> Windows { get; } = [];

    /// <summary>The calls that were sent, and those of them that have ended.</summary>
    internal long Started { get; set; }

    /// <inheritdoc cref="Started"/>
    internal long Ended { get; set; }

    /// <summary>Those of which it was not known to which part they belong.</summary>
    internal long StartedWithoutPart { get; set; }

    /// <inheritdoc cref="StartedWithoutPart"/>
    internal long EndedWithoutPart { get; set; }

    internal bool IsIdle => Started == Ended;

    internal long LastUsed { get; set; }
}

/// <summary>The place of one attempt in the quotas of its host. Used under the lock of <see cref="HostQuotas"/>.</summary>
internal sealed class QuotaTurn(HostQuotas host, string? tenant)
{
    private long[] _ended = [];
    private double[] _returned = [];
    private long _endedOfHost;
    private long _endedOfTenant;
    private long _endedWithoutPart;

    internal HostQuotas Host => host;

    internal string? Tenant => tenant;

    internal QuotaTurnState State { get; set; }

    /// <summary>Its start has come already, and too little was left.</summary>
    internal bool IsFirst { get; set; }

    internal TenantQuotas? Of { get; private set; }

    internal List<QuotaWindow> Windows { get; private set; } = [];

    /// <summary>It was known to which part it belongs.</summary>
    internal bool HasPart { get; private set; }

    internal void Take((TenantQuotas Of, List<QuotaWindow> Windows, bool HasPart) quotas) => (Of, Windows, HasPart) = quotas;

    /// <summary>Notes how many calls had ended: a response of this one counts them.</summary>
    internal void Note(TenantQuotas ofHost)
    {
        (_ended, _returned) = ([.. Windows.Select(w => w.Ended)], [.. Windows.Select(w => w.Returned)]);
        (_endedOfHost, _endedOfTenant, _endedWithoutPart) = (ofHost.Ended, Of!.Ended, Of.EndedWithoutPart);
    }

    /// <summary>What had come back when it was sent; null when the quota was not known.</summary>
    internal double? ReturnedBefore(QuotaWindow window) =>
        Windows.IndexOf(window) is var index and >= 0 && index < _returned.Length ? _returned[index] : null;

    /// <summary>The calls that a response may not count: those that were under way with this one.</summary>
    internal long Uncounted(in QuotaReport report, QuotaWindow window, TenantQuotas ofHost)
    {
        if (Of is not { } own)
            return 0;
        if (report.Part is null)
            return report.IsOfHost ? ofHost.Started - _endedOfHost - 1 : own.Started - _endedOfTenant - 1;
        // Of a part those that are known to belong to it, and those that may.
        return Windows.IndexOf(window) is var index and >= 0 && index < _ended.Length
            ? window.Started - _ended[index] - 1 + own.StartedWithoutPart - _endedWithoutPart
            : own.Started - _endedOfTenant - 1;
    }
}

/// <summary>How far an attempt has come.</summary>
internal enum QuotaTurnState
{
    None,
    Reserved,
    Started,
}
