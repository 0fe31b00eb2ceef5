using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>Finds the error budgets in the state of the clients.</summary>
internal sealed class ErrorBudgets(IServiceProvider services, ClientStates clients) : IErrorBudgets
{
    public IReadOnlyList<ErrorBudgetStatus> List() => [.. clients.OfApplication.Select(Describe).OrderBy(s => s.ClientName, StringComparer.Ordinal)];

    public Task PauseAsync(string clientName, string by, CancellationToken cancellationToken = default) => SetAsync(clientName, isPaused: true, by, cancellationToken);

    public Task ResumeAsync(string clientName, string by, CancellationToken cancellationToken = default) => SetAsync(clientName, isPaused: false, by, cancellationToken);

    internal static ErrorBudgetStatus Describe(ClientState client)
    {
        var (budget, now) = (client.ErrorBudget, client.Time.GetTimestamp());
        var policy = budget.Policy;
        var inWindow = budget.Read(policy.Window, now);
        var pause = budget.Pause.Change is { IsPaused: true } change ? change : null;
        return new()
        {
            ClientName = client.Name,
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
        if (!services.GetServices<ResilientClient>().Any(c => c.Name == clientName) && clients.All(c => c.Name != clientName))
            throw new ArgumentException($"There is no resilient client '{clientName}'.", nameof(clientName));

        var change = services.GetRequiredKeyedService<ClientState>(clientName).ErrorBudget.SetPause(isPaused, by);
        // Also when it was so already: the last time that it was done may not have been kept.
        if (services.GetService<IErrorBudgetStore>() is { } store)
            await store.SetPauseAsync(change, cancellationToken).ConfigureAwait(false);
    }
}
