namespace HttpResilience;

/// <summary>The limiter of a client. It outlives the client's handlers; a reload replaces it only when the limits have changed.</summary>
internal sealed class ClientLimiter
{
    private RateLimiterPolicy? _policy;
    private volatile HostLimiter? _current;

    private ClientLimiter(Client client)
    {
        Use(client.Policy.RateLimiter);
        client.PolicyChanged += () => Use(client.Policy.RateLimiter);
    }

    /// <summary>Null while the client has no limits.</summary>
    internal HostLimiter? Current => _current;

    internal static ClientLimiter Of(Client client) => client.GetOrAdd(() => new ClientLimiter(client));

    private void Use(RateLimiterPolicy? policy)
    {
        // Unchanged limits keep their counts. Attempts that wait at a replaced limiter still get their turn there.
        if (policy == _policy)
            return;
        (_policy, _current) = (policy, policy is null ? null : new(policy));
    }
}
