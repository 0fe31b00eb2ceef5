namespace HttpResilience;

/// <summary>Hears how the calls of a client end. While nobody watches, and while a host is well, that costs a look at a field or two.</summary>
/// <param name="clientName">The client.</param>
/// <param name="feed">Where it is told.</param>
internal sealed class CallSignals(string clientName, AlertQueue feed)
{
    private HostCollection? _hosts;

    /// <summary>The client's hosts.</summary>
    internal void Observe(HostCollection hosts) => _hosts = hosts;

    internal void CallEnded(HttpCall call)
    {
        if (!feed.IsOn || call.Host is not { } host)
            return;
        if (call.FailureClass is FailureClass.None && (host.Signals is not { } known || known.IsQuiet(call.Tenant)))
            return;
        Judge(call, host);
    }

    internal void CircuitMoved(HostKey key)
    {
        if (feed.IsOn && key.Tenant is null && _hosts?.Find(key) is { } host)
            feed.Enlist(host.GetOrAddSignals(clientName));
    }

    internal void LetterLost()
    {
        if (feed.IsOn)
            feed.LetterLost(clientName);
    }

    private void Judge(HttpCall call, HostState host)
    {
        bool isHeldBackForTenant = call.StopReason is StopReason.CircuitOpen && call.TenantHost is { } part
            && part.Circuit.State is not CircuitState.Closed && host.Circuit.State is CircuitState.Closed;
        var verdict = CallVerdicts.Of(call.FailureClass, call.AttemptCount, call.LastAttempt?.StatusCode is not null, isHeldBackForTenant);
        if (verdict is CallVerdict.Works)
        {
            if (host.Signals is { } known && !known.IsQuiet(call.Tenant) && known.Succeed(call.Tenant, feed.TimeOf(call.EndedAt)))
                feed.Enlist(known);
        }
        else if (verdict is not CallVerdict.Nothing)
        {
            var signals = host.GetOrAddSignals(clientName);
            var failed = new FailedCall(feed.TimeOf(call.EndedAt), call.FailureClass, (int?)call.LastAttempt?.StatusCode);
            signals.Fail(call.Tenant, failed, verdict is CallVerdict.Fails, feed.Memory);
            feed.Enlist(signals);
        }
    }
}
