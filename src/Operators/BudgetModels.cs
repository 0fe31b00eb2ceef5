using HttpResilience.Operations;

namespace HttpResilience.Operators;

/// <summary>An error budget.</summary>
/// <param name="Client">The client.</param>
/// <param name="Objective">The share of calls that must not fail.</param>
/// <param name="WindowSeconds">Over what time.</param>
/// <param name="Calls">The calls in it.</param>
/// <param name="Failures">Those that failed.</param>
/// <param name="Spent">The share of the budget that is spent; 1 is all of it, and it can be more.</param>
/// <param name="Left">The share that is left.</param>
/// <param name="State">A word of <see cref="States"/>.</param>
/// <param name="IsBurning">It will not last.</param>
/// <param name="BurnRates">How fast it burns, by window.</param>
/// <param name="Pause">Who paused the client, as this instance knows it; null when it is not paused.</param>
internal sealed record BudgetModel(
    string Client, double Objective, double WindowSeconds, long Calls, long Failures, double Spent, double Left, string State,
    bool IsBurning, IReadOnlyList<BurnRateModel> BurnRates, PauseModel? Pause)
{
    internal static IReadOnlyList<string> States { get; } = [.. Enum.GetValues<ErrorBudgetState>().Select(WordOf)];

    internal static BudgetModel Of(ErrorBudgetStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var pause = status.PausedSince is { } since
            ? new ErrorBudgetPause(status.ClientName, true, status.PausedBy, since) { Note = status.PausedNote } : null;
        return new(
            status.ClientName, status.Objective, status.Window.TotalSeconds, status.Calls, status.Failures, status.Burn, status.Remaining,
            WordOf(status.State), status.IsBurning, [.. status.BurnRates.Select(b => new BurnRateModel(b.Window.TotalSeconds, b.Rate))],
            PauseModel.Of(pause));
    }

    private static string WordOf(ErrorBudgetState state) => state switch
    {
        ErrorBudgetState.Heightened => "heightened",
        ErrorBudgetState.Exceeded => "exceeded",
        _ => "quiet",
    };
}

/// <summary>How many times faster than allowed calls fail.</summary>
/// <param name="WindowSeconds">Over what time.</param>
/// <param name="Rate">At 1 the budget lasts as long as its window.</param>
internal sealed record BurnRateModel(double WindowSeconds, double Rate);

/// <summary>The error budgets.</summary>
/// <param name="Instance">The instance that answers: with a store it has the counts of all, of up to 10 seconds ago.</param>
/// <param name="Budgets">By client.</param>
/// <param name="Advice">What has to be added when there are none.</param>
internal sealed record BudgetList(string Instance, IReadOnlyList<BudgetModel> Budgets, string? Advice);
