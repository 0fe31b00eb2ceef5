using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Operations;

/// <summary>The error budgets as operators see them.</summary>
/// <param name="pauses">Null when there is no durable storage.</param>
internal sealed class ErrorBudgets(IResilientClients clients, ErrorBudgetObserver budgets, BudgetPauseStore? pauses) : IErrorBudgets
{
    internal static void AddTo(IServiceCollection services) => services.AddSingleton<IErrorBudgets>(provider => new ErrorBudgets(
        provider.GetRequiredService<IResilientClients>(), provider.GetRequiredService<ErrorBudgetObserver>(),
        BudgetPauseStore.Of(provider)));

    public IReadOnlyList<ErrorBudgetStatus> List() => [.. budgets.All.Select(Describe).OrderBy(s => s.ClientName, StringComparer.Ordinal)];

    public Task PauseAsync(string clientName, string by, CancellationToken cancellationToken = default) =>
        SetAsync(clientName, isPaused: true, by, note: null, cancellationToken);

    public Task PauseAsync(string clientName, string by, string? note, CancellationToken cancellationToken) =>
        SetAsync(clientName, isPaused: true, by, note, cancellationToken);

    public Task ResumeAsync(string clientName, string by, CancellationToken cancellationToken = default) =>
        SetAsync(clientName, isPaused: false, by, note: null, cancellationToken);

    public Task ResumeAsync(string clientName, string by, string? note, CancellationToken cancellationToken) =>
        SetAsync(clientName, isPaused: false, by, note, cancellationToken);

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
            PausedNote = pause?.Note,
        };
    }

    private async Task SetAsync(string clientName, bool isPaused, string by, string? note, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        var budget = clients.Find(clientName)?.Get<ErrorBudget>()
            ?? throw new ArgumentException($"There is no resilient client '{clientName}'.", nameof(clientName));
        var (last, _) = budget.SetPause(isPaused, by, note);
        // Also when nothing changed: the last change may not have been stored.
        if (pauses is not null)
            await pauses.SaveAsync(budget.Pause, last, cancellationToken).ConfigureAwait(false);
    }
}
