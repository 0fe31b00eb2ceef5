namespace HttpResilience;

/// <summary>The state that a client keeps of a host, or of one tenant's calls to it, as observers and operators see it.</summary>
public abstract class ObservedHost : ObserverState
{
    private protected ObservedHost()
    {
    }

    /// <summary>Scheme, host and port, such as <c>https://api.example.com</c>.</summary>
    public abstract string Authority { get; }

    /// <summary>The tenant whose part of the host it is; null for the host itself.</summary>
    public abstract string? Tenant { get; }

    /// <summary>The state of its circuit.</summary>
    public abstract CircuitState CircuitState { get; }
}
