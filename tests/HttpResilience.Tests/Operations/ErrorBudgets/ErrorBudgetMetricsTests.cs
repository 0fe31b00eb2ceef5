using HttpResilience.Tests.Telemetry;

namespace HttpResilience.Tests.Operations.ErrorBudgets;

public sealed class ErrorBudgetMetricsTests
{
    [Fact]
    public async Task The_remaining_budget_and_its_burn_rate_can_be_observed()
    {
        using var chain = PausedCallTests.PausingChain(o => (o.ErrorBudget.Objective, o.ErrorBudget.PauseAtBurn) = (0.9, null));
        _ = chain.State;
        using var metrics = new MeasurementCollector(chain.Services);
        for (int i = 0; i < 96; i++)
            chain.Budget.Count(FailureClass.None, isFailure: false, chain.Clock.GetTimestamp());
        chain.Clock.Advance(TimeSpan.FromMinutes(40));
        await PausedCallTests.FailAsync(chain, 4);

        var remaining = metrics.Observe("error_budget.remaining").ShouldHaveSingleItem();
        (Math.Round(remaining.Value, 9), remaining.Text).ShouldBe((0.6, "http.resilience.client=api"));
        metrics.Observe("error_budget.burn_rate").Select(m => (m.Text, Math.Round(m.Value, 9))).ShouldBe(
        [
            ("http.resilience.client=api, http.resilience.window=5m", 10),
            ("http.resilience.client=api, http.resilience.window=30m", 10),
            ("http.resilience.client=api, http.resilience.window=1h", 0.4),
            ("http.resilience.client=api, http.resilience.window=6h", 0.4),
            ("http.resilience.client=api, http.resilience.window=3d", 0.4),
        ]);
        await PausedCallTests.FailAsync(chain, 40);
        metrics.Observe("error_budget.remaining").ShouldHaveSingleItem().Value.ShouldBe(0);
    }
}
