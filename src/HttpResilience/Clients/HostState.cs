namespace HttpResilience;

/// <summary>The state of one host, or of one tenant's part of it: its circuit, its pause after a Retry-After, its retry budget.</summary>
internal sealed class HostState(HostKey key) : ObservedHost
{
    private AfterFailure? _afterFailure;
    private long _lastUsed;
    private volatile bool _isEvicted;
    private volatile bool _reportsQuota;
    private int _looked;

    internal HostKey Key => key;

    /// <summary>It belongs to no client any more, and the next call to the host makes another one.</summary>
    internal bool IsEvicted
    {
        get => _isEvicted;
        set => _isEvicted = value;
    }

    public override string Authority => key.Authority.ToString();

    public override string? Tenant => key.Tenant;

    public override CircuitState CircuitState => Circuit.State;

    internal CircuitMachine Circuit { get; } = new();

    /// <summary>The latencies of requests that may be sent a second time, while the delay of hedging is learned.</summary>
    internal LatencyWindows Requests => LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Requests, static () => new());

    /// <summary>The latencies of attempts, while their timeout is learned.</summary>
    internal LatencyWindows Attempts => LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Attempts, static () => new());

    /// <summary>The calls that wait for the circuit; null until one has waited.</summary>
    internal CircuitQueue? Queue => Failed?.Queue;

    /// <summary>The places of calls that wait for the circuits of the host and its tenants, made on first use.</summary>
    internal CircuitPlaces Places => LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Places, static () => new());

    /// <summary>
    /// The ticket of an attempt that need not ask for its turn; <see cref="CircuitMachine.NoTicket"/> when the circuit is not closed, or
    /// calls wait for their turn.
    /// </summary>
    internal int TicketAtOnce => Circuit.Period is var period && CircuitMachine.StateOf(period) is CircuitState.Closed
        && Queue is null or { IsEmpty: true } ? period : CircuitMachine.NoTicket;

    /// <summary>When the last call to the host started.</summary>
    internal long LastUsed => Volatile.Read(ref _lastUsed);

    /// <summary>The limit of concurrent attempts; null until one has asked for a place.</summary>
    internal ConcurrencyGate? Gate => Failed?.Gate;

    /// <summary>What limits that only observe would have done, made on first use.</summary>
    internal ObservedCounts Observed => LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Observed, static () => new());

    /// <summary>Null until the host sends a Retry-After.</summary>
    internal HostPause? Pause => Failed?.Pause;

    /// <summary>Null until a response reports a quota, or calls are paced.</summary>
    internal HostQuotas? Quotas => Failed?.Quotas;

    private AfterFailure? Failed => Volatile.Read(ref _afterFailure);

    /// <summary>The pause that holds back a call now: that of the host, or of the tenant; null when there is none.</summary>
    internal HostPause? PauseAt(long now, string? tenant)
    {
        if (Pause is { } pause && pause.Until > now)
            return pause;
        return tenant is not null && Failed?.TenantPauses is { } pauses && pauses.Until > now
            && pauses.Find(tenant) is { } own && own.Until > now ? own : null;
    }

    /// <summary>Which hosts are evicted before it, and which after.</summary>
    internal HostStanding StandingAt(long now)
    {
        var state = Circuit.State;
        if (Failed is not { } failed)
            return state is CircuitState.Isolated ? HostStanding.Held : IsOpen() ? HostStanding.Needed : Otherwise();
        if (state is CircuitState.Isolated || failed.Queue is { IsEmpty: false } || failed.Places is { Taken: > 0 }
            || failed.Gate is { InFlight: > 0 })
            return HostStanding.Held;
        return IsOpen() || failed.Pause?.Until > now || failed.TenantPauses?.Until > now || failed.Quotas?.PausedUntil > now
            ? HostStanding.Needed : Otherwise();

        bool IsOpen() => state is CircuitState.Open && Circuit.OpenUntil > now;
        HostStanding Otherwise() => state is CircuitState.Closed ? HostStanding.Closed : HostStanding.Lapsed;
    }

    /// <summary>A call to it would be rejected, or would have to wait longer than for a short break of the circuit.</summary>
    internal bool IsUnavailable(ResiliencePolicy policy, long now) =>
        Pause?.Until > now
        || (policy.CircuitBreaker is { OnlyObserves: false } circuit && Circuit.IsOpenAt(now)
            && (Circuit.State is CircuitState.Isolated || !(Circuit.Break <= circuit.MaxWait)));

    /// <summary>The end of the break of its circuit; 0 for a closed one, never for one that an operator has opened.</summary>
    internal long OpenUntil(ResiliencePolicy policy) => policy.CircuitBreaker is { OnlyObserves: true } ? 0 : Circuit.State switch
    {
        CircuitState.Closed => 0,
        CircuitState.Isolated => long.MaxValue,
        _ => Circuit.OpenUntil,
    };

    /// <param name="places">Those of the host, when this is a tenant's part of it.</param>
    internal CircuitQueue AddQueue(CircuitPlaces places, TimeProvider time) =>
        LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Queue, () => new(Circuit, places, time));

    internal ConcurrencyGate GetOrAddGate(TimeProvider time) => Gate ?? AddGate(time);

    private ConcurrencyGate AddGate(TimeProvider time) => LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Gate, () => new(time));

    /// <summary>The circuit has changed, or a probe has ended.</summary>
    internal void AdvanceQueue()
    {
        // The change was written before the queue is read, while a call joins the queue before it reads the circuit: one sees the other.
        Interlocked.MemoryBarrier();
        Queue?.Advance();
    }

    internal void Use(long now) => Volatile.Write(ref _lastUsed, now);

    /// <summary>The pause, made on first use: most hosts never send a Retry-After.</summary>
    internal HostPause GetOrAddPause() => LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Pause, static () => new());

    /// <summary>
    /// Applies the Retry-After of an attempt to all calls to the host; a rate limit that a tenant's call exceeded, to those of the tenant.
    /// </summary>
    /// <returns>Whether it starts a pause.</returns>
    internal bool ApplyRetryAfter(ResiliencePolicy policy, in AttemptResult result, string? tenant, long endedAt)
    {
        bool isLimited = result.FailureClass is FailureClass.RateLimited;
        // Other statuses that carry a Retry-After, such as 409 and 425, concern only the one request.
        if ((!isLimited && result.StatusCode is not 503) || policy.RetryAfterTicks(result) is not (> 0 and var ticks))
            return false;

        long until = endedAt + ticks;
        var pause = tenant is not null && (isLimited || result.IsOfPartition)
            ? PauseOf(tenant, policy, endedAt, until, result.IsOfPartition)
            : null;
        return Extend(pause ?? GetOrAddPause(), policy, endedAt, until);
    }

    /// <summary>
    /// Whether a response is searched for a quota although no setting says that the host reports one: the first eight responses, then every
    /// 128th, and all after one that reports it. The search costs a tenth of what the chain adds to a call.
    /// </summary>
    internal bool LooksForQuota => _reportsQuota || (_looked++ is var looked && (looked < 8 || looked % 128 == 0));

    /// <summary>Applies the quotas that a response reports as used up to the calls that they apply to.</summary>
    /// <param name="retryAfter">What the response asks for itself, with 429 or 503; null for nothing.</param>
    /// <returns>Whether it starts a pause.</returns>
    internal bool ApplyQuotas(
        ResiliencePolicy policy, List<QuotaReport> reports, string? tenant, TimeSpan? retryAfter, long endedAt)
    {
        _reportsQuota = true;
        bool begins = false;
        foreach (var report in reports)
        {
            // A Retry-After is applied as that of the host or the tenant, unless it is known whose it is.
            if (!report.IsUsedUp || (retryAfter is not null && report.Part is null)
                || policy.QuotaTicks(retryAfter ?? report.ClosedFor) is not (> 0 and var ticks))
                continue;
            long until = endedAt + ticks;
            var pause = report.Part is { } part ? GetOrAddQuotas().GetOrAddPause(tenant, part, endedAt, until, policy.MaxHosts)
                : tenant is not null && !report.IsOfHost ? PauseOf(tenant, policy, endedAt, until, isOfPartition: true)
                : null;
            begins |= Extend(pause ?? GetOrAddPause(), policy, endedAt, until);
        }

        return begins;
    }

    /// <summary>Responses have named parts of the API.</summary>
    internal bool HasQuotaParts => Failed?.Quotas is { HasParts: true };

    internal HostQuotas GetOrAddQuotas() => LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Quotas, static () => new());

    private HostPause? PauseOf(string tenant, ResiliencePolicy policy, long now, long until, bool isOfPartition) =>
        LazyInitializer.EnsureInitialized(ref GetOrAddFailed().TenantPauses, static () => new())
            .GetOrAdd(tenant, now, until, isOfPartition, policy.MaxHosts);

    private bool Extend(HostPause pause, ResiliencePolicy policy, long now, long until) => pause.Extend(
        now, until, policy.CircuitBreaker is { } circuit ? Circuit.PaceAt(circuit, now) : null,
        policy.CircuitBreaker?.BucketLength * FailureWindow.Buckets ?? 0);

    /// <summary>The budget, made at the first retry: a healthy host costs nothing. The circuit knows the calls before.</summary>
    internal RetryBudget GetOrAddBudget(ResiliencePolicy policy, long now) => Failed?.Budget ?? AddBudget(policy, now);

    private RetryBudget AddBudget(ResiliencePolicy policy, long now)
    {
        return LazyInitializer.EnsureInitialized(ref GetOrAddFailed().Budget, () => new(CallsBefore(), now));

        double CallsBefore() =>
            policy is { CircuitBreaker: { } circuit, Retry.Budget: { } budget } && Circuit.PaceAt(circuit, now) is > 0 and var pace
            ? (double)budget.SamplingLength / pace : 0;
    }

    /// <summary>Counts a call once the host has a budget.</summary>
    internal void CountCall(RetryBudgetPolicy policy, long now) => Failed?.Budget?.CountCall(policy, now);

    /// <summary>
    /// Whether the failure of a tenant's call counts for the host: not when the previous failure was the same tenant's, since one failing
    /// tenant does not show that the host fails.
    /// </summary>
    internal bool SpeaksForTheHost(string? tenant) =>
        tenant is null || Interlocked.Exchange(ref GetOrAddFailed().LastTenant, tenant) != tenant;

    private AfterFailure GetOrAddFailed() => LazyInitializer.EnsureInitialized(ref _afterFailure, static () => new());

    /// <summary>What only a host needs that has failed, has limits, or whose delays are learned: most never do.</summary>
    private sealed class AfterFailure
    {
        internal HostPause? Pause;
        internal TenantPauses? TenantPauses;
        internal HostQuotas? Quotas;
        internal RetryBudget? Budget;
        internal CircuitQueue? Queue;
        internal CircuitPlaces? Places;
        internal ConcurrencyGate? Gate;
        internal ObservedCounts? Observed;
        internal string? LastTenant;
        internal LatencyWindows? Requests;
        internal LatencyWindows? Attempts;
    }
}

/// <summary>How a host stands for eviction; the first are evicted first.</summary>
internal enum HostStanding
{
    /// <summary>Its circuit is closed.</summary>
    Closed,

    /// <summary>Its circuit is not closed, and lets a probe pass.</summary>
    Lapsed,

    /// <summary>The host must not be called now (open circuit, pause); evicting its state would lose that.</summary>
    Needed,

    /// <summary>An operator isolates it, or calls wait for it.</summary>
    Held,
}

/// <summary>The key of the state: a host, or a tenant's part of it.</summary>
internal readonly record struct HostKey(HttpAuthority Authority, string? Tenant)
{
    /// <summary>Compares states by their keys, and finds them by a key: a dictionary need not store the key again.</summary>
    internal static IEqualityComparer<HostState> Comparer { get; } = new ByKey();

    private sealed class ByKey : IEqualityComparer<HostState>, IAlternateEqualityComparer<HostKey, HostState>
    {
        public bool Equals(HostState? x, HostState? y) => ReferenceEquals(x, y) || (x is not null && y is not null && x.Key == y.Key);

        public bool Equals(HostKey alternate, HostState other) => alternate == other.Key;

        public int GetHashCode(HostState obj) => obj.Key.GetHashCode();

        public int GetHashCode(HostKey alternate) => alternate.GetHashCode();

        public HostState Create(HostKey alternate) => new(alternate);
    }
}
