using System.Diagnostics.Metrics;

namespace HttpResilience;

/// <summary>What is left of the error budgets of all clients, and how fast they burn.</summary>
internal static class ErrorBudgetGauges
{
    internal static void AddTo(Meter meter, ClientStates clients)
    {
        meter.CreateObservableGauge(
            "http.client.resilience.error_budget.remaining", () => Remaining(clients), unit: "1", "Which part of the error budget is left: 1 all of it, 0 nothing.");
        meter.CreateObservableGauge(
            "http.client.resilience.error_budget.burn_rate", () => BurnRates(clients), unit: "1", "How many times faster than allowed calls fail, over a window.");
    }

    private static IEnumerable<Measurement<double>> Remaining(ClientStates clients) =>
        from client in clients.OfApplication
        select new Measurement<double>(Math.Max(0, 1 - client.ErrorBudget.Burn(client.Time.GetTimestamp())), Tag(client));

    private static IEnumerable<Measurement<double>> BurnRates(ClientStates clients) =>
        from client in clients.OfApplication
        from window in HttpResilience.BurnRates.Windows
        select new Measurement<double>(
            client.ErrorBudget.BurnRate(window.Window, client.Time.GetTimestamp()), Tag(client), new KeyValuePair<string, object?>(TelemetryTags.Window, window.Name));

    private static KeyValuePair<string, object?> Tag(ClientState client) => new(TelemetryTags.Client, client.Name);
}
