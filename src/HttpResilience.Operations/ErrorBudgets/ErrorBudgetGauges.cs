using System.Diagnostics.Metrics;

namespace HttpResilience.Operations;

/// <summary>The remaining error budgets of all clients, and their burn rates.</summary>
internal sealed class ErrorBudgetGauges : IDisposable
{
    internal const string ClientTag = "http.resilience.client";
    internal const string WindowTag = "http.resilience.window";

    // The meter of the chain: one name for all instruments.
    private const string MeterName = "HttpResilience";

    private static readonly string Version = typeof(ErrorBudgetGauges).Assembly.GetName().Version!.ToString(3);

    private readonly Meter? _own;

    /// <param name="factory">Makes the meter, and disposes it; null when there is none.</param>
    internal ErrorBudgetGauges(IMeterFactory? factory, ErrorBudgetObserver budgets)
    {
        var meter = factory?.Create(MeterName, Version) ?? (_own = new(MeterName, Version));
        meter.CreateObservableGauge(
            "http.client.resilience.error_budget.remaining", () =>
                Remaining(budgets), unit: "1", "Which part of the error budget is left: 1 all of it, 0 nothing.");
        meter.CreateObservableGauge(
            "http.client.resilience.error_budget.burn_rate", () =>
                BurnRates(budgets), unit: "1", "How many times faster than allowed calls fail, over a window.");
    }

    public void Dispose() => _own?.Dispose();

    private static IEnumerable<Measurement<double>> Remaining(ErrorBudgetObserver budgets) =>
        from budget in budgets.All
        select new Measurement<double>(Math.Max(0, 1 - budget.Burn(budget.Time.GetTimestamp())), Tag(budget));

    private static IEnumerable<Measurement<double>> BurnRates(ErrorBudgetObserver budgets) =>
        from budget in budgets.All
        from window in Operations.BurnRates.Windows
        select new Measurement<double>(
            budget.BurnRate(window.Window, budget.Time.GetTimestamp()), Tag(budget),
                new KeyValuePair<string, object?>(WindowTag, window.Name));

    private static KeyValuePair<string, object?> Tag(ErrorBudget budget) => new(ClientTag, budget.ClientName);
}
