namespace HttpResilience.Operations;

/// <summary>The alerts of shared incidents that this process sends, by the key in the store.</summary>
internal sealed class AlertDeliveries(TimeProvider time)
{
    // A sink that fails for longer does not delay the later alerts of the others.
    private static readonly TimeSpan OtherSinksTimeout = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, AlertDelivery> _deliveries = [];

    internal IReadOnlyCollection<string> Keys => _deliveries.Keys;

    /// <summary>Completes when the sinks have all of them.</summary>
    internal Task Completion => Task.WhenAll(_deliveries.Values.Select(d => d.Sending));

    internal AlertDelivery? Of(string key) => _deliveries.GetValueOrDefault(key);

    /// <param name="accepted">For each sink, see <see cref="AlertOutbox.Add"/>.</param>
    /// <param name="completed">Called when the sinks have the alert.</param>
    internal void Add(string key, Alert alert, IReadOnlyList<Task<bool>> accepted, Action completed)
    {
        var sending = WaitAsync(accepted);
        _deliveries[key] = new(alert, sending);
        _ = sending.ContinueWith(
            static (_, completed) => ((Action)completed!)(),
            completed, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    internal void Remove(string key) => _deliveries.Remove(key);

    /// <returns>False when the host has stopped before any sink accepted the alert.</returns>
    private async Task<bool> WaitAsync(IReadOnlyList<Task<bool>> accepted)
    {
        Task all = Task.WhenAll(accepted);
        if (!all.IsCompleted)
        {
            await Task.WhenAny(accepted).ConfigureAwait(false);
            await all.WaitAsync(OtherSinksTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return accepted.Count == 0 || accepted.Any(a => a is { IsCompletedSuccessfully: true, Result: true });
    }
}

/// <summary>An alert that the sinks accept.</summary>
/// <param name="Sending">Its result is false when no sink accepted the alert.</param>
internal sealed record AlertDelivery(Alert Alert, Task<bool> Sending)
{
    internal bool IsSent => Sending is { IsCompletedSuccessfully: true, Result: true };
}
