namespace HttpResilience;

/// <summary>
/// The limiters of a client: one for its calls, and one for those of each route with limits of its own. They outlive the client's handlers;
/// a reload replaces one only when its limits have changed.
/// </summary>
internal sealed class ClientLimiter
{
    private readonly Client _client;
    private volatile Limiters _current;

    private ClientLimiter(Client client)
    {
        (_client, _current) = (client, Of(client.Policy, null));
        client.PolicyChanged += () => _current = Of(_client.Policy, _current);
    }

    /// <summary>The limiter of the calls of a policy. Null while they have no limits.</summary>
    internal HostLimiter? For(ResiliencePolicy policy)
    {
        var current = _current;
        if (policy.Route is not { } route)
            return current.OfClient;
        return policy.RateLimiter is null ? null
            : current.OfRoutes is { } routes && routes.TryGetValue(route, out var own) ? own.Limiter : current.OfClient;
    }

    internal static ClientLimiter Of(Client client) => client.GetOrAdd(() => new ClientLimiter(client));

    private static Limiters Of(ResiliencePolicy policy, Limiters? before)
    {
        // Unchanged limits keep their counts. Attempts that wait at a replaced limiter still get their turn there.
        var ofClient = policy.RateLimiter == before?.Policy ? before?.OfClient : Make(policy.RateLimiter);
        Dictionary<string, (RateLimiterPolicy, HostLimiter)> ofRoutes = [];
        foreach (var route in policy.WithRoutes)
        {
            if (route is { Route: { } name, RateLimiter: { } limits } && limits != policy.RateLimiter)
            {
                ofRoutes[name] = before?.OfRoutes is { } routes && routes.TryGetValue(name, out var same) && same.Policy == limits
                    ? same : (limits, new HostLimiter(limits));
            }
        }

        return new(policy.RateLimiter, ofClient, ofRoutes.Count == 0 ? null : ofRoutes);
    }

    private static HostLimiter? Make(RateLimiterPolicy? policy) => policy is null ? null : new(policy);

    /// <param name="OfRoutes">By the route; null when none has limits of its own.</param>
    private sealed record Limiters(
        RateLimiterPolicy? Policy, HostLimiter? OfClient,
        IReadOnlyDictionary<string, (RateLimiterPolicy Policy, HostLimiter Limiter)>? OfRoutes);
}
