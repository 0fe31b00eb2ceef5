using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Operations;

/// <summary>The error budgets as operators see them.</summary>
/// <param name="store">Null when there is no durable storage.</param>
/// <param name="letters">Stores a pause together with what a person did; null when there is no durable storage.</param>
internal sealed class ErrorBudgets(
    IResilientClients clients, ErrorBudgetObserver budgets, IErrorBudgetStore? store, IDeadLetterStore? letters) : IErrorBudgets
{
    internal static void AddTo(IServiceCollection services) => services.AddSingleton<IErrorBudgets>(provider => new ErrorBudgets(
        provider.GetRequiredService<IResilientClients>(), provider.GetRequiredService<ErrorBudgetObserver>(),
        provider.GetService<IErrorBudgetStore>(), provider.GetService<IDeadLetterStore>()));

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
        var (last, isNew) = budget.SetPause(isPaused, by, note);
        if (isNew && letters is not null && await letters.CommitAsync(CommitOf(last), cancellationToken).ConfigureAwait(false))
            return;
        // Also when nothing changed: the last change may not have been stored.
        if (store is not null)
            await store.SetPauseAsync(last, cancellationToken).ConfigureAwait(false);
    }

    // Whatever is stored from before that time is replaced: this process applies the change already.
    private static LetterCommit CommitOf(ErrorBudgetPause change) => new()
    {
        Pause = change,
        PauseBefore = change with { At = change.At.AddMicroseconds(-1) },
        Activity = new()
        {
            Id = Guid.CreateVersion7(change.At),
            At = change.At,
            By = change.By!,
            Action = change.IsPaused ? "Pause" : "Resume",
            ClientName = change.ClientName,
            Letters = 0,
            Notes = change.Note,
        },
    };
}
