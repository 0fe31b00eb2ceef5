namespace HttpResilience.Tests.Dashboards;

/// <summary>What is read of an expression, and which mistakes are found.</summary>
public sealed class PrometheusQueryTests
{
    private const string Calls = "http_client_resilience_call_duration_seconds_count";
    private const string Letters = "http_client_resilience_dead_letters";

    [Theory]
    [InlineData($"sum by (http_resilience_client) (rate({Calls}{{error_type!=\"\", job=~\"$job\"}}[5m]))", null)]
    [InlineData($"max by (job) ({Letters}{{http_resilience_dead_letter_status=~\"pending|in_progress\"}}) > 0", null)]
    [InlineData($"sum by (job) ((increase({Calls}[1h]) and {Calls} offset 1h) or ({Calls} unless {Calls} offset 1h)) > 0", null)]
    [InlineData("{__name__=~\"http_client_resilience_error_budget_burn_rate(_ratio)?\", http_resilience_window=\"1h\"} > 1", null)]
    [InlineData("{__name__=~\"http_client_resilience_burn_rate(_ratio)?\"} > 1", "no series http_client_resilience_burn_rate_ratio")]
    [InlineData("rate(http_client_resilience_call_duration_count[5m])", "no series http_client_resilience_call_duration_count")]
    [InlineData("rate(http_client_resilience_retries[5m])", "no series http_client_resilience_retries")]
    [InlineData($"sum by (job, http_resilience_clients) ({Calls})", "has no label http_resilience_clients")]
    [InlineData($"sum({Calls} unless on (le) {Calls})", "has no label le")]
    [InlineData($"{Letters}{{server_address=\"a\"}}", "has no label server_address")]
    [InlineData($"{Letters}{{http_resilience_dead_letter_status=\"requires-review\"}}", "is never requires-review")]
    [InlineData($"{Calls}{{http_resilience_stop_reason=~\"Cancelled|Canceled\"}}", "is never Canceled")]
    [InlineData($"rate({Letters}[5m])", "which does not only grow")]
    public void A_mistake_in_an_expression_is_found(string query, string? mistake)
    {
        var found = QueryAssert.Mistakes(new(query), new Dictionary<string, IReadOnlyList<string>>()).Distinct();

        if (mistake is null)
            found.ShouldBeEmpty();
        else
            found.ShouldHaveSingleItem().ShouldContain(mistake);
    }

    [Theory]
    [InlineData("http.client.resilience.retries", "counter", "{retry}", "http_client_resilience_retries_total")]
    [InlineData("http.client.resilience.call.duration", "histogram", "s", "http_client_resilience_call_duration_seconds")]
    [InlineData("http.client.resilience.error_budget.remaining", "gauge", "1", "http_client_resilience_error_budget_remaining_ratio")]
    [InlineData("http.client.resilience.circuit.state", "gauge", "", "http_client_resilience_circuit_state")]
    public void A_name_is_translated_by_the_rule(string instrument, string kind, string unit, string metric) =>
        PrometheusInstrument.NameOf(instrument, kind, unit).ShouldBe(metric);
}
