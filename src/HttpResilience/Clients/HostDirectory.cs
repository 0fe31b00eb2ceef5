using System.Net;

namespace HttpResilience;

/// <summary>
/// The hosts of one client, bounded: above the limit the least recently used are evicted, those with a closed circuit first. Hosts that
/// must not be called now (open circuit, pause) are kept up to as many again, isolated ones and those with waiting calls always.
/// </summary>
internal sealed class HostDirectory
{
    private const int Shards = 256;

    // A table copies all its hosts when it grows: one for all of them would stop a call for milliseconds.
    private readonly HostSet?[] _shards = new HostSet?[Shards];
    private readonly HostEviction _eviction;
    // Most clients have one host.
    private HostState? _last;
    private int _count;

    internal HostDirectory() => _eviction = new(this);

    internal int Count => Volatile.Read(ref _count);

    internal IEnumerable<HostState> All => _shards.OfType<HostSet>().SelectMany(shard => shard.All);

    /// <summary>The state of a host; null for a host that was not called yet.</summary>
    internal HostState? Find(HostKey key) => Volatile.Read(ref ShardOf(key))?.Find(key);

    /// <summary>A call to one of the hosts would be rejected, or would have to wait.</summary>
    internal bool AnyIsUnavailable(ResiliencePolicy policy, long now) => All.Any(h => h.IsUnavailable(policy, now));

    /// <summary>The circuit of the host has not been closed for longer than calls wait for it.</summary>
    internal static bool HasOutage(ObservedHost host, long now) =>
        ((HostState)host).Circuit is { State: not CircuitState.Closed, Outage: { } outage } && outage.IsLongAt(now);

    /// <summary>Finds the host that a call goes to, and the tenant's part of it where that has a circuit of its own.</summary>
    internal void FindFor(HttpCall call, HttpMethod method, Uri? uri)
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
        if (policy.ReadsQuotas || call.Host!.HasQuotaParts)
            call.SetQuotaRoute(QuotaRoute.Of(method, uri));
    }

    /// <summary>
    /// When the pause and the circuits that hold a call back from a host end: in the past when there are none, never while an operator has
    /// opened one.
    /// </summary>
    internal long AvailableAt(HttpCall call, HttpAuthority authority, long now)
    {
        var host = GetOrAdd(new(authority, null), call.Policy.MaxHosts, now);
        long at = Math.Max(host.PauseAt(now, call.Tenant)?.Until ?? 0, host.OpenUntil(call.Policy));
        return call.Tenant is { } tenant && call.Policy.CircuitBreaker?.Isolation is CircuitIsolation.AuthorityAndTenant
            ? Math.Max(at, GetOrAdd(new(authority, tenant), call.Policy.MaxHosts, now).OpenUntil(call.Policy)) : at;
    }

    /// <summary>Applies the Retry-After of an attempt to the host that sent it, which a redirect may have led to.</summary>
    /// <returns>The host whose pause it starts; null when it starts none.</returns>
    internal HostKey? ApplyRetryAfter(HttpCall call, in AttemptResult result, long endedAt)
    {
        // The part whose quota it is about is paused already.
        if (call.HasPausedPart)
            return null;
        var host = call.RedirectedTo is { } uri
            ? GetOrAdd(new(new HttpAuthority(uri), null), call.Policy.MaxHosts, call.StartedAt)
            : call.Host;
        return host?.ApplyRetryAfter(call.Policy, result, call.Tenant, endedAt) is true ? host.Key : null;
    }

    /// <summary>
    /// Applies the standard field <c>RateLimit</c> of a response that is no rejection, in a chain that has no stage for quotas.
    /// </summary>
    /// <returns>The host for which a pause starts; null when none starts.</returns>
    internal HostKey? ApplyRateLimit(HttpCall call, HttpRequestMessage request, HttpResponseMessage? response, long endedAt)
    {
        // Last the headers, which a response without any makes when they are asked for.
        if (!call.Policy.PausesOnRateLimit || response is null || call.Host is not { } asked
            || ((int)response.StatusCode < 400 ? !asked.LooksForQuota : IsRejection(response.StatusCode))
            || QuotaReader.ReadStandard(response.Headers, call.Time.GetUtcNow()) is not { Count: > 0 } reports)
            return null;
        var host = HostOf(call, response, asked);
        QuotaRoute.Of(request.Method, request.RequestUri).Learn(host, reports);
        return host.ApplyQuotas(call.Policy, reports, call.Tenant, retryAfter: null, endedAt) ? host.Key : null;
    }

    /// <summary>The status means that the request was not processed, for the load or a limit.</summary>
    internal static bool IsRejection(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable;

    /// <summary>The host that sent a response, which a redirect may have led to.</summary>
    internal HostState HostOf(HttpCall call, HttpResponseMessage response, HostState asked) =>
        response.RequestMessage?.RequestUri is { IsAbsoluteUri: true } uri && new HttpAuthority(uri) is var authority
            && !authority.Equals(asked.Key.Authority)
            ? GetOrAdd(new(authority, null), call.Policy.MaxHosts, call.StartedAt) : asked;

    internal HostState GetOrAdd(HostKey key, int limit, long now)
    {
        var host = Volatile.Read(ref _last);
        if (host is null || host.IsEvicted || host.Key != key)
        {
            host = Find(key) ?? Add(key, limit, now);
            if (key.Tenant is null)
                Volatile.Write(ref _last, host);
        }

        host.Use(now);
        return host;
    }

    /// <summary>Evicts a host.</summary>
    internal void Remove(HostState host)
    {
        host.IsEvicted = true;
        ShardOf(host.Key)!.Remove(host);
        Interlocked.Decrement(ref _count);
    }

    private HostState Add(HostKey key, int limit, long now)
    {
        var added = new HostState(key);
        // Another thread may look at it before this one returns it.
        added.Use(now);
        var shard = LazyInitializer.EnsureInitialized(ref ShardOf(key), static () => new());
        while (!shard.TryAdd(added))
        {
            if (shard.Find(key) is { } other)
                return other;
        }

        Interlocked.Increment(ref _count);
        _eviction.Add(added, limit, now);
        return added;
    }

    private ref HostSet? ShardOf(HostKey key) => ref _shards[key.GetHashCode() & (Shards - 1)];
}
