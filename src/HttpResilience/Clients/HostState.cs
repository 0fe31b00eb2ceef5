namespace HttpResilience;

/// <summary>
/// What a client remembers of one host, or of one tenant's part of it: the circuit, the pause that the host asked for, the retries it has seen.
/// </summary>
internal sealed class HostState(HostKey key) : ObservedHost
{
    private HostPause? _pause;
    private RetryBudget? _budget;
    private string? _lastFailedTenant;
    private long _lastUsed;

    internal HostKey Key => key;

    public override string Authority => key.Authority.ToString();

    public override string? Tenant => key.Tenant;

    public override CircuitState CircuitState => Circuit.State;

    internal CircuitMachine Circuit { get; } = new();

    /// <summary>When a call last asked for the host.</summary>
    internal long LastUsed => Volatile.Read(ref _lastUsed);

    /// <summary>Null while the host has never asked for one.</summary>
    internal HostPause? Pause => Volatile.Read(ref _pause);

    /// <summary>Whether forgetting this would send something to a host that is to be left alone.</summary>
    internal bool IsNeeded(long now) =>
        Circuit.State is CircuitState.Isolated || (Circuit.State is CircuitState.Open && Circuit.OpenUntil > now) || Pause?.Until > now;

    /// <summary>A call to it would be refused, or would have to wait.</summary>
    internal bool IsToBeLeftAlone(ResiliencePolicy policy, long now) => Pause?.Until > now || (policy.CircuitBreaker is not null && Circuit.IsOpenAt(now));

    internal void Use(long now) => Volatile.Write(ref _lastUsed, now);

    /// <summary>The pause, made when it is first asked for: most hosts never ask.</summary>
    internal HostPause GetOrAddPause() => LazyInitializer.EnsureInitialized(ref _pause, static () => new());

    /// <summary>Takes what an attempt was told about when the host may be called again.</summary>
    /// <returns>Whether a pause begins with it.</returns>
    internal bool ApplyRetryAfter(ResiliencePolicy policy, in AttemptResult result, long endedAt) =>
        // Other statuses that carry a Retry-After, such as 409 and 425, speak of the one request.
        (result.FailureClass is FailureClass.RateLimited || result.StatusCode is 503) && policy.PauseOf(result) is > 0 and var pause
        && GetOrAddPause().Extend(endedAt, endedAt + pause, policy.CircuitBreaker is { } circuit ? Circuit.PaceAt(circuit, endedAt) : null, policy.CircuitBreaker?.BucketLength * FailureWindow.Buckets ?? 0);

    /// <summary>The budget, made at the first retry: a host that is well costs nothing.</summary>
    internal RetryBudget GetOrAddBudget() => LazyInitializer.EnsureInitialized(ref _budget, static () => new());

    /// <summary>Counts a call, once there is a budget to count it for.</summary>
    internal void CountCall(RetryBudgetPolicy policy, long now) => Volatile.Read(ref _budget)?.CountCall(policy, now);

    /// <summary>
    /// Whether the failure of a tenant's call says something about the host: not when it was the same tenant that failed before. One customer whose
    /// destination fails does not speak for the others.
    /// </summary>
    internal bool SpeaksForTheHost(string? tenant) => tenant is null || Interlocked.Exchange(ref _lastFailedTenant, tenant) != tenant;
}

/// <summary>What state is kept for: a host, or a tenant's part of it.</summary>
internal readonly record struct HostKey(HttpAuthority Authority, string? Tenant);
