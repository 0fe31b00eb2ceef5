namespace HttpResilience;

/// <summary>
/// Sends nothing to a host while its circuit is open. One circuit for each scheme, host and port, and one for each tenant's part of it;
/// <see cref="CircuitMachine"/> decides.
/// </summary>
internal sealed class CircuitBreakerHandler(Client client, CircuitEvents events) : ChainHandler
{
    private readonly CircuitTurns _turns = new(client, events);

    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.CircuitBreaker is { } policy && call.Host is { } host)
        {
            call.ReachedCircuit = true;
            // A ticket that it has already came with its turn.
            CircuitOpenException? rejection = null;
            if (call.TenantHost is { } tenantHost && call.TenantTicket == CircuitMachine.NoTicket)
                call.TenantTicket = Enter(policy, tenantHost, call, call.AttemptStartedAt, out rejection);
            if (call.CircuitTicket == CircuitMachine.NoTicket && rejection is null)
                call.CircuitTicket = Enter(policy, host, call, call.AttemptStartedAt, out rejection);
            if (rejection is not null)
                return Reject(call, rejection);
        }

        return NextAsync(request, call, async, cancellationToken);
    }

    protected override async ValueTask<long> AdmitAsync(HttpCall call, long latest, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.CircuitBreaker is { MaxWait: not null } policy && call.Host is { } host
            && (call.IsCircuitClosed || !await call.HasAlternativeAsync(async, cancellationToken).ConfigureAwait(false)))
        {
            if (call.TenantHost is { } tenantHost && call.TenantTicket == CircuitMachine.NoTicket)
            {
                call.TenantTicket = Entered(
                    tenantHost, await _turns.WaitAsync(policy, tenantHost, call, latest, async, cancellationToken).ConfigureAwait(false));
            }

            // Rejected for its tenant, it does not wait for the host.
            if (call.CircuitTicket == CircuitMachine.NoTicket && (call.TenantHost is null || call.TenantTicket != CircuitMachine.NoTicket))
            {
                call.CircuitTicket = Entered(
                    host, await _turns.WaitAsync(policy, host, call, latest, async, cancellationToken).ConfigureAwait(false));
            }
        }

        return await base.AdmitAsync(call, latest, async, cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryAdmit(HttpCall call, long now)
    {
        if (call.Policy.CircuitBreaker is { OnlyObserves: false } policy && call.Host is { } host)
        {
            call.TenantTicket = call.TenantHost is { } tenantHost ? TicketNow(policy, tenantHost, now) : CircuitMachine.NoTicket;
            bool isAdmitted = call.TenantHost is null || call.TenantTicket != CircuitMachine.NoTicket;
            if (isAdmitted)
                call.CircuitTicket = TicketNow(policy, host, now);
            if (call.CircuitTicket == CircuitMachine.NoTicket)
            {
                NotifyNotSent(call);
                return false;
            }
        }

        return base.TryAdmit(call, now);
    }

    private int TicketNow(CircuitPolicy policy, HostState host, long now)
    {
        if (host.TicketAtOnce is not CircuitMachine.NoTicket and var ticket)
            return ticket;
        // The calls that wait come first.
        if (host.Queue is { IsEmpty: false })
            return CircuitMachine.NoTicket;
        var admission = host.Circuit.Enter(policy, now);
        events.Moved(host, admission.Transition);
        return admission.IsAllowed ? Entered(host, admission.Ticket) : CircuitMachine.NoTicket;
    }

    protected override void NotifyNotSent(HttpCall call)
    {
        if (call.TenantTicket != CircuitMachine.NoTicket)
            GiveBack(call, call.TenantHost!, call.TenantTicket);
        if (call.CircuitTicket != CircuitMachine.NoTicket)
            GiveBack(call, call.Host!, call.CircuitTicket);
        (call.TenantTicket, call.CircuitTicket) = (CircuitMachine.NoTicket, CircuitMachine.NoTicket);
    }

    protected override void OnAttemptEnded(HttpCall call, in AttemptResult result, long endedAt)
    {
        // A handler between retry and circuit has answered: that says nothing about the host.
        if (!call.ReachedCircuit)
        {
            NotifyNotSent(call);
            return;
        }

        if (call.TenantTicket != CircuitMachine.NoTicket)
            Report(call, call.TenantHost!, call.TenantTicket, result.CircuitOutcome, result, endedAt);
        if (call.CircuitTicket != CircuitMachine.NoTicket)
            Report(call, call.Host!, call.CircuitTicket, OutcomeForTheHost(call, result), result, endedAt);
        (call.TenantTicket, call.CircuitTicket) = (CircuitMachine.NoTicket, CircuitMachine.NoTicket);
    }

    private int Enter(CircuitPolicy policy, HostState host, HttpCall call, long now, out CircuitOpenException? rejection)
    {
        rejection = null;
        var admission = host.Circuit.Enter(policy, now);
        events.Moved(host, admission.Transition);
        if (admission.IsAllowed)
            return Entered(host, admission.Ticket);
        events.Report(host, host.Circuit.Outage, now);
        if (policy.OnlyObserves)
        {
            WouldReject(policy, host.Circuit, call, now);
            return CircuitMachine.NoTicket;
        }

        TimeSpan? left = admission.OpenUntil > now ? client.Time.GetElapsedTime(now, admission.OpenUntil) : null;
        rejection = new(host.Key.Authority, left, host.Key.Tenant);
        return CircuitMachine.NoTicket;
    }

    // An observed circuit counts what the calls would have done, places apart.
    private static void WouldReject(CircuitPolicy policy, CircuitMachine circuit, HttpCall call, long now)
    {
        if (CircuitReleaseRules.MayWait(
            policy, circuit.State, circuit.OpenUntil, circuit.Break, policy.MaxWait ?? 0, ClientDeadline.LastAttemptEndOf(call), now))
            circuit.Outage?.AddWaited();
        else
            circuit.Outage?.AddFailed();
    }

    // Probes that get no answer cause no change of state.
    private int Entered(HostState host, int ticket)
    {
        if (CircuitMachine.IsProbe(ticket))
            events.Report(host, host.Circuit.Outage, client.Time.GetTimestamp());
        return ticket;
    }

    private void Report(HttpCall call, HostState host, int ticket, CircuitOutcome outcome, in AttemptResult result, long endedAt)
    {
        long openAtLeast = call.Policy.RetryAfterTicks(result);
        var transition = host.Circuit.Report(
            call.Policy.CircuitBreaker!, ticket, outcome, call.AttemptStartedAt, openAtLeast, endedAt);
        // Calls wait for its result.
        if (transition is not null || CircuitMachine.IsProbe(ticket))
            host.AdvanceQueue();
        events.Moved(host, transition);
    }

    private void GiveBack(HttpCall call, HostState host, int ticket)
    {
        long now = client.Time.GetTimestamp();
        host.Circuit.Report(call.Policy.CircuitBreaker!, ticket, CircuitOutcome.Neutral, now, openAtLeast: 0, now);
        if (CircuitMachine.IsProbe(ticket))
            host.AdvanceQueue();
    }

    private static CircuitOutcome OutcomeForTheHost(HttpCall call, in AttemptResult result) =>
        result.CircuitOutcome is CircuitOutcome.Failure && call.TenantHost is { } tenant
        && !CircuitMachine.IsProbe(call.CircuitTicket) && !call.Host!.SpeaksForTheHost(tenant.Key.Tenant)
            ? CircuitOutcome.Neutral
            : result.CircuitOutcome;
}
