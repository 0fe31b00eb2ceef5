namespace HttpResilience.Operations;

/// <summary>
/// Queues hosts for the next evaluation when calls fail, a row of failures ends, or a circuit changes. While alerts are off, and while a
/// host works, an ended call costs one or two field reads.
/// </summary>
internal sealed class AlertObserver(AlertQueue queue, BatchCadences batches) : CallObserver
{
    protected override void CallEnded(in EndedCall ended)
    {
        if (!queue.IsOn || ended.Host is not { } host)
            return;
        var known = host.Get<HostFailureTracker>();
        if (ended.Outcome.FailureClass is FailureClass.None && (known is null || known.IsQuiet(ended.Call.Tenant)))
            return;
        if (ended.Client.Name != AlertClient.Name)
            Record(ended, host, known);
    }

    protected override void CircuitChanged(ObservedClient client, ObservedHost host, CircuitState state)
    {
        if (queue.IsOn && host.Tenant is null && client.Name != AlertClient.Name)
            queue.Enlist(TrackerOf(client, host));
    }

    protected override void LetterLost(ObservedClient client, HttpCall httpCall)
    {
        if (queue.IsOn && client.Name != AlertClient.Name)
            queue.LetterLost(client.Name);
    }

    protected override void BatchFinished(string name) => batches.Finish(name);

    private static HostFailureTracker TrackerOf(ObservedClient client, ObservedHost host) =>
        host.GetOrAdd(() => new HostFailureTracker(client, host));

    private void Record(in EndedCall ended, ObservedHost host, HostFailureTracker? known)
    {
        var outcome = ended.Outcome;
        string? tenant = ended.Call.Tenant;
        if (outcome.Host is OutcomeKind.Success)
        {
            if (known is not null && !known.IsQuiet(tenant) && known.Succeed(tenant, queue.TimeOf(ended.EndedAt)))
                queue.Enlist(known);
        }
        else if (outcome.Host is OutcomeKind.Failure || outcome.IsTenantFailure)
        {
            var tracker = TrackerOf(ended.Client, host);
            var failed = new FailedCall(queue.TimeOf(ended.EndedAt), outcome.FailureClass, outcome.StatusCode);
            tracker.Fail(tenant, failed, forHost: !outcome.IsTenantFailure, queue.Memory);
            queue.Enlist(tracker);
        }
    }
}
