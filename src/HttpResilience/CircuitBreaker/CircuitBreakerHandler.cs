namespace HttpResilience;

/// <summary>
/// Sends nothing to a host while its circuit is open. One circuit for each scheme, host and port, and one for each tenant's part of it;
/// <see cref="CircuitMachine"/> decides.
/// </summary>
internal sealed class CircuitBreakerHandler(Client client, CircuitEvents events) : ChainHandler
{
    protected override ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.CircuitBreaker is { } policy && call.Host is { } host)
        {
            if (call.TenantHost is { } tenantHost)
                call.TenantTicket = Enter(policy, tenantHost, call.AttemptStartedAt);
            call.CircuitTicket = Enter(policy, host, call.AttemptStartedAt);
        }

        return NextAsync(request, call, async, cancellationToken);
    }

    protected override void OnAttemptEnded(HttpCall call, in AttemptResult result, long endedAt)
    {
        if (call.TenantTicket != CircuitMachine.NoTicket)
            Report(call, call.TenantHost!, call.TenantTicket, result.CircuitOutcome, result, endedAt);
        if (call.CircuitTicket != CircuitMachine.NoTicket)
            Report(call, call.Host!, call.CircuitTicket, OutcomeForTheHost(call, result), result, endedAt);
        (call.TenantTicket, call.CircuitTicket) = (CircuitMachine.NoTicket, CircuitMachine.NoTicket);
    }

    private int Enter(CircuitPolicy policy, HostState host, long now)
    {
        var admission = host.Circuit.Enter(policy, now);
        events.Moved(host, admission.Transition);
        if (admission.IsAllowed)
            return admission.Ticket;
        TimeSpan? left = admission.OpenUntil > now ? client.Time.GetElapsedTime(now, admission.OpenUntil) : null;
        throw new CircuitOpenException(host.Key.Authority.ToString(), left, host.Key.Tenant);
    }

    private void Report(HttpCall call, HostState host, int ticket, CircuitOutcome outcome, in AttemptResult result, long endedAt)
    {
        long took = endedAt - call.AttemptStartedAt;
        long openAtLeast = call.Policy.RetryAfterTicks(result);
        events.Moved(host, host.Circuit.Report(call.Policy.CircuitBreaker!, ticket, outcome, took, openAtLeast, endedAt));
    }

    private static CircuitOutcome OutcomeForTheHost(HttpCall call, in AttemptResult result) =>
        result.CircuitOutcome is CircuitOutcome.Failure && call.TenantHost is { } tenant
        && !CircuitMachine.IsProbe(call.CircuitTicket) && !call.Host!.SpeaksForTheHost(tenant.Key.Tenant)
            ? CircuitOutcome.Neutral
            : result.CircuitOutcome;
}
