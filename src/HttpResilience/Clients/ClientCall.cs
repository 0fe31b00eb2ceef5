namespace HttpResilience;

/// <summary>The part of a call that belongs to its client: the state of the hosts and the deadline.</summary>
internal static class ClientCall
{
    private static readonly CallSlot<long> Reserve = new();

    extension(HttpCall call)
    {
        /// <summary>The state of the host; null when the request has no absolute URI.</summary>
        internal HostState? Host
        {
            get => (HostState?)call.HostState;
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

        internal bool IsCircuitOpenAt(long timestamp) => call.Policy.CircuitBreaker is not null
            && (call.Host?.Circuit.IsOpenAt(timestamp) is true || call.TenantHost?.Circuit.IsOpenAt(timestamp) is true);
    }
}
