using System.Diagnostics.Metrics;

namespace HttpResilience;

/// <summary>What is left of the error budgets of all clients, and how fast they burn.</summary>
internal sealed class ErrorBudgetGauges : IDisposable
{
    private readonly Meter? _own;

    /// <param name="factory">Makes the meter, and disposes it; null when there is none.</param>
    internal ErrorBudgetGauges(IMeterFactory? factory, ErrorBudgetObserver budgets)
    {
        var meter = factory?.Create(ResilienceMeter.Name, TelemetryTags.Version) ?? (_own = new(ResilienceMeter.Name, TelemetryTags.Version));
        meter.CreateObservableGauge(
            "http.client.resilience.error_budget.remaining", () => Remaining(budgets), unit: "1", "Which part of the error budget is left: 1 all of it, 0 nothing.");
        meter.CreateObservableGauge(
            "http.client.resilience.error_budget.burn_rate", () => BurnRates(budgets), unit: "1", "How many times faster than allowed calls fail, over a window.");
    }

    public void Dispose() => _own?.Dispose();

    private static IEnumerable<Measurement<double>> Remaining(ErrorBudgetObserver budgets) =>
        from budget in budgets.All
        select new Measurement<double>(Math.Max(0, 1 - budget.Burn(budget.Time.GetTimestamp())), Tag(budget));

    private static IEnumerable<Measurement<double>> BurnRates(ErrorBudgetObserver budgets) =>
        from budget in budgets.All
        from window in HttpResilience.BurnRates.Windows
        select new Measurement<double>(
            budget.BurnRate(window.Window, budget.Time.GetTimestamp()), Tag(budget), new KeyValuePair<string, object?>(TelemetryTags.Window, window.Name));

    private static KeyValuePair<string, object?> Tag(ErrorBudget budget) => new(TelemetryTags.Client, budget.ClientName);
}
