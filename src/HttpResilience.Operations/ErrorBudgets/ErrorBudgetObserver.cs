using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace HttpResilience.Operations;

/// <summary>Keeps an error budget for each client, counts its calls, and refuses those of a client that is paused.</summary>
internal sealed class ErrorBudgetObserver : CallObserver, IDisposable
{
    private readonly ConcurrentDictionary<string, ErrorBudget> _budgets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ErrorBudgetPause> _adopted = new(StringComparer.Ordinal);
    private readonly ErrorBudgetEvents _events;
    private readonly ErrorBudgetGauges _gauges;
    private readonly bool _isKept;
    private readonly string? _excludedClient;
    private TaskCompletionSource _added = NewSource();

    /// <param name="isKept">The counts are also collected for a store.</param>
    /// <param name="meters">Null when the container has none.</param>
    /// <param name="excludedClient">A client that has no error budget.</param>
    internal ErrorBudgetObserver(ErrorBudgetEvents events, bool isKept, IMeterFactory? meters, string? excludedClient)
    {
        (_events, _isKept, _excludedClient) = (events, isKept, excludedClient);
        _gauges = new(meters, this);
    }

    /// <summary>Applies changes of other processes, earlier runs or a person, now or when the client is made.</summary>
    internal void Adopt(IEnumerable<ErrorBudgetPause> changes)
    {
        foreach (var change in changes)
        {
            _adopted.AddOrUpdate(change.ClientName, change, (_, known) => known.At >= change.At ? known : change);
            Find(change.ClientName)?.Adopt(change);
        }
    }

    internal IEnumerable<ErrorBudget> All => _budgets.Select(b => b.Value);

    /// <summary>Completes when one more has been added.</summary>
    internal Task Added => Volatile.Read(ref _added).Task;

    /// <summary>Null for a client that has not been used, and has not started with the host.</summary>
    internal ErrorBudget? Find(string clientName) => _budgets.GetValueOrDefault(clientName);

    protected override void ClientConfigured(ObservedClient client)
    {
        if (client.Name == _excludedClient)
            return;
        var policy = ErrorBudgetPolicy.From(client.ErrorBudget);
        var budget = client.GetOrAdd(() => new ErrorBudget(client.Name, client.Time, policy, _events, _isKept));
        budget.Policy = policy;
        if (!_budgets.TryAdd(client.Name, budget))
            return;
        // A client that is made while it is paused does not send its first calls.
        if (_adopted.TryGetValue(client.Name, out var pause))
            budget.Adopt(pause);
        Interlocked.Exchange(ref _added, NewSource()).SetResult();
    }

    protected override IntegrationPausedException? CallStarting(ObservedClient client, HttpCall httpCall) =>
        client.Get<ErrorBudget>()?.Admit(httpCall);

    protected override void CallEnded(in EndedCall ended) => ended.Client.Get<ErrorBudget>()?.CallEnded(ended);

    protected override void PauseChanged(ErrorBudgetPause change) => Adopt([change]);

    protected override bool IsPaused(ObservedClient client) =>
        client.Get<ErrorBudget>()?.Pause.RejectsAt(client.Time.GetTimestamp()) is true;

    public void Dispose() => _gauges.Dispose();

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
