using HttpResilience;

namespace InvoiceSender;

/// <summary>What there was to tell while a host ran, and whether all of it is over.</summary>
internal sealed class ToldAlerts : IAlertSink
{
    private readonly Lock _lock = new();
    private readonly List<Alert> _told = [];
    private readonly HashSet<Guid> _open = [];
    private TaskCompletionSource _over = Over();

    public IReadOnlyList<Alert> All
    {
        get
        {
            lock (_lock) return [.. _told];
        }
    }

    public Task SendAsync(Alert alert, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _told.Add(alert);
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

    /// <summary>Waits for the all-clear, if there is one to come.</summary>
    public async Task WaitUntilOverAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        Task over;
        lock (_lock) over = _over.Task;
        await over.WaitAsync(patience, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static TaskCompletionSource Over()
    {
        var over = new TaskCompletionSource();
        over.SetResult();
        return over;
    }
}
