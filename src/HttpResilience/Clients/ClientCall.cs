using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>The part of a call that belongs to its client: the state of the hosts and the deadline.</summary>
internal static class ClientCall
{
    private static readonly CallSlot<long> Reserve = new();
    private static readonly CallSlot<Func<bool, CancellationToken, ValueTask<bool>>> Alternative = new();
    private static readonly CallSlot<QuotaCall> Quota = new();

    extension(HttpCall call)
    {
        /// <summary>The state of the host; null when the request has no absolute URI.</summary>
        internal HostState? Host
        {
            get => Unsafe.As<HostState?>(call.HostState);
            set => call.HostState = value;
        }

        /// <summary>
        /// The state of the tenant's part of the host; null without a tenant, or when tenants share the state of the host.
        /// </summary>
        internal HostState? TenantHost
        {
            get => (HostState?)call.TenantHostState;
            set => call.TenantHostState = value;
        }

        /// <summary>
        /// How long before the deadline the last attempt ends, in timestamp ticks: time that an outer stage needs afterwards.
        /// </summary>
        internal long DeadlineReserve
        {
            get => Reserve.Get(call);
            set => Reserve.Set(call, value);
        }

        /// <summary>The time of its last attempt is over.</summary>
        internal bool IsPastDeadline => call.Time.GetTimestamp() >= ClientDeadline.LastAttemptEndOf(call);

        /// <summary>Its next attempt is the last one that it has.</summary>
        internal bool IsSentLast => call.AttemptCount >= (call.MaxRetryAttempts ?? call.Policy.Retry.MaxRetryAttempts);

        /// <summary>Takes the tickets of an attempt that no circuit holds back.</summary>
        /// <returns>False when it must ask for its turn.</returns>
        internal bool TryTakeTickets()
        {
            if (call.Policy.CircuitBreaker is not { MaxWait: not null, OnlyObserves: false } || call.Host is not { } host)
                return true;
            call.CircuitTicket = host.TicketAtOnce;
            call.TenantTicket = call.TenantHost?.TicketAtOnce ?? CircuitMachine.NoTicket;
            return call.CircuitTicket != CircuitMachine.NoTicket
                && (call.TenantTicket != CircuitMachine.NoTicket || call.TenantHost is null);
        }

        /// <summary>Whether a retry at a later time would be rejected by a circuit, as far as is known now.</summary>
        /// <param name="latest">The timestamp at which the retry must be sent.</param>
        internal bool WouldBeRejectedAt(long timestamp, long latest) => call.Policy.CircuitBreaker is { OnlyObserves: false } policy
            && (Rejects(call.Host, policy, call, timestamp, latest) || Rejects(call.TenantHost, policy, call, timestamp, latest));

        /// <summary>Whether a circuit rejects an attempt now, however long it would wait.</summary>
        /// <param name="latest">The timestamp at which the attempt must be sent.</param>
        internal bool IsRejectedNow(long latest) => call.WouldBeRejectedAt(call.Time.GetTimestamp(), latest);

        internal bool IsCircuitOpenAt(long timestamp) => call.Policy.CircuitBreaker is { OnlyObserves: false }
            && (call.Host?.Circuit.IsOpenAt(timestamp) is true || call.TenantHost?.Circuit.IsOpenAt(timestamp) is true);

        /// <summary>Counts a rejection of the call by a circuit, and not only of a request beside another one.</summary>
        internal void CountRejection(RejectedException rejection)
        {
            if (rejection is CircuitOpenException { Tenant: var tenant })
                (tenant is null ? call.Host : call.TenantHost)?.Circuit.Outage?.AddFailed();
        }

        /// <summary>Where it goes, for the quotas of its host; null when those have no parts.</summary>
        internal QuotaRoute? QuotaRoute => Quota.Get(call)?.Route;

        internal void SetQuotaRoute(in QuotaRoute route) => Quota.Set(call, new(route));

        /// <summary>Its next attempt needs a start from the quotas of its host (<c>Quota:Pace</c>).</summary>
        internal bool NeedsQuotaTurn => call.Policy.Quota is { Pace: true } && Quota.Get(call) is { Turn: null };

        /// <summary>The attempt may be sent.</summary>
        internal void SetQuotaTurn(QuotaTurn turn) => Quota.Get(call)!.Turn = turn;

        /// <summary>The attempt is sent.</summary>
        internal QuotaTurn? TakeQuotaTurn()
        {
            if (Quota.Get(call) is not { Turn: { } turn } quota)
                return null;
            quota.Turn = null;
            return turn;
        }

        /// <summary>The attempt is not sent after all.</summary>
        internal void GiveBackQuotaTurn()
        {
            if (call.TakeQuotaTurn() is { } turn)
                turn.Host.GiveBack(turn, call.Time.GetTimestamp());
        }

        /// <summary>The response to the current attempt has paused the part of the API that its <c>Retry-After</c> is about.</summary>
        internal bool HasPausedPart
        {
            get => Quota.Get(call) is { HasPausedPart: true };
            set
            {
                if (Quota.Get(call) is { } quota)
                    quota.HasPausedPart = value;
            }
        }

        /// <summary>The pause that holds it back now; null when there is none.</summary>
        internal HostPause? PauseAt(long now) => call.Host is not { } host ? null
            : host.PauseAt(now, call.Tenant) ?? (call.QuotaRoute is { } route ? host.Quotas?.PauseAt(now, call.Tenant, route) : null);

        internal bool IsCircuitClosed => call.Host?.Circuit.State is CircuitState.Closed
            && call.TenantHost?.Circuit.State is null or CircuitState.Closed;

        /// <summary>
        /// Whether the caller gets something better than a wait when an open circuit rejects the call, such as a cached response.
        /// </summary>
        internal ValueTask<bool> HasAlternativeAsync(bool async, CancellationToken cancellationToken) =>
            Alternative.Get(call) is { } find ? find(async, cancellationToken) : new(false);

        /// <param name="find">Gets the sync/async mode.</param>
        internal void SetAlternative(Func<bool, CancellationToken, ValueTask<bool>> find) => Alternative.Set(call, find);
    }

    private sealed class QuotaCall(in QuotaRoute route)
    {
        internal QuotaRoute Route { get; } = route;

        internal QuotaTurn? Turn { get; set; }

        internal bool HasPausedPart { get; set; }
    }

    private static bool Rejects(HostState? host, CircuitPolicy policy, HttpCall call, long timestamp, long latest) =>
        host?.Circuit is { } circuit && circuit.IsOpenAt(timestamp)
        && !CircuitReleaseRules.MayWait(
            policy, circuit.State, circuit.OpenUntil, circuit.Break, (policy.MaxWait ?? 0) - (call.CircuitWaits?.ToClose ?? 0), latest,
            timestamp);
}
