namespace InvoiceSender;

/// <summary>Records the alerts of a host and knows whether every incident has ended.</summary>
internal sealed class AlertRecorder : IAlertSink
{
    private readonly Lock _lock = new();
    private readonly List<Alert> _received = [];
    private readonly HashSet<Guid> _open = [];
    private TaskCompletionSource _over = Over();

    public IReadOnlyList<Alert> All
    {
        get
        {
            lock (_lock) return [.. _received];
        }
    }

    public Task SendAsync(Alert alert, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _received.Add(alert);
            if (alert.Phase is not AlertPhase.Ended)
            {
                if (_open.Count == 0) _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _open.Add(alert.Id);
            }
            else if (_open.Remove(alert.Id) && _open.Count == 0)
            {
                _over.SetResult();
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Waits until every incident has ended, at most for <paramref name="timeout"/>.</summary>
    public async Task WaitUntilOverAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Task over;
        lock (_lock) over = _over.Task;
        await over.WaitAsync(timeout, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static TaskCompletionSource Over()
    {
        var over = new TaskCompletionSource();
        over.SetResult();
        return over;
    }
}
