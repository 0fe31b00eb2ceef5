namespace HttpResilience.Operations;

/// <summary>The error budgets as operators see them.</summary>
/// <param name="store">Null when there is no durable storage.</param>
internal sealed class ErrorBudgets(IResilientClients clients, ErrorBudgetObserver budgets, IErrorBudgetStore? store) : IErrorBudgets
{
    public IReadOnlyList<ErrorBudgetStatus> List() => [.. budgets.All.Select(Describe).OrderBy(s => s.ClientName, StringComparer.Ordinal)];

    public Task PauseAsync(string clientName, string by, CancellationToken cancellationToken = default) =>
        SetAsync(clientName, isPaused: true, by, cancellationToken);

    public Task ResumeAsync(string clientName, string by, CancellationToken cancellationToken = default) =>
        SetAsync(clientName, isPaused: false, by, cancellationToken);

    internal static ErrorBudgetStatus Describe(ErrorBudget budget)
    {
        long now = budget.Time.GetTimestamp();
        var policy = budget.Policy;
        var inWindow = budget.Read(policy.Window, now);
        var pause = budget.Pause.Change is { IsPaused: true } change ? change : null;
        return new()
        {
            ClientName = budget.ClientName,
            Objective = policy.Objective,
            Window = policy.Window,
            Calls = inWindow.Calls,
            Failures = inWindow.Failures,
            Burn = BurnRates.Of(inWindow, policy.Allowed),
            BurnRates = [.. BurnRates.Windows.Select(w => new BurnRateOver(w.Window, budget.BurnRate(w.Window, now)))],
            State = BurnRates.StateOf(inWindow, policy.Allowed),
            IsBurning = BurnRates.Pairs.Any(pair => budget.IsBurning(pair, now)),
            PausedSince = pause?.At,
            PausedBy = pause?.By,
        };
    }

    private async Task SetAsync(string clientName, bool isPaused, string by, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        var budget = clients.Find(clientName)?.Get<ErrorBudget>()
            ?? throw new ArgumentException($"There is no resilient client '{clientName}'.", nameof(clientName));
        var change = budget.SetPause(isPaused, by);
        // Also when nothing changed: the last change may not have been stored.
        if (store is not null)
            await store.SetPauseAsync(change, cancellationToken).ConfigureAwait(false);
    }
}
