using HttpResilience.Tests.Conventions;

namespace HttpResilience.Tests.Dashboards;

/// <summary>What every expression has to keep, on the dashboard and in the rules.</summary>
internal static class QueryAssert
{
    // What Prometheus adds to each series, and its own series about alerts.
    private static readonly string[] OfTargets = ["job", "instance"];
    private static readonly string[] OfAlerts = ["alertname", "alertstate", "severity"];

    internal static PrometheusInstrument? InstrumentOf(string series) =>
        PrometheusInstrument.All.FirstOrDefault(i => i.Series.Contains(series));

    /// <summary>Series that do not exist, labels that they lack, values that labels never have, and functions for another type.</summary>
    /// <param name="recorded">The labels of recorded series.</param>
    internal static IEnumerable<string> Mistakes(PrometheusQuery query, IReadOnlyDictionary<string, IReadOnlyList<string>> recorded)
    {
        foreach (string metric in query.Metrics.Where(m => LabelsOf(m, recorded) is null))
            yield return $"no series {metric}: {query.Text}";
        foreach (var (metric, label) in query.Labels.Where(l => LabelsOf(l.Metric, recorded) is { } labels && !labels.Contains(l.Label)))
            yield return $"{metric} has no label {label}: {query.Text}";
        foreach (var (label, value) in query.Matchers)
        {
            foreach (string unknown in value.Split('|').Where(v => v.Length > 0 && v[0] != '$' && ValuesOf(label)?.Contains(v) == false))
                yield return $"{label} is never {unknown}: {query.Text}";
        }

        foreach (var (metric, function) in query.Functions)
        {
            if (function is "rate" or "increase" && InstrumentOf(metric) is { Kind: "gauge" })
                yield return $"{function} of {metric}, which does not only grow: {query.Text}";
        }
    }

    private static IReadOnlyList<string>? LabelsOf(string metric, IReadOnlyDictionary<string, IReadOnlyList<string>> recorded) =>
        InstrumentOf(metric) is { } instrument
            ? [.. instrument.Labels, .. OfTargets, .. metric.EndsWith("_bucket", StringComparison.Ordinal) ? ["le"] : Array.Empty<string>()]
            : metric == "ALERTS"
                ? [.. OfAlerts, .. OfTargets, "http_resilience_client", "server_address"]
                : recorded.GetValueOrDefault(metric);

    private static IEnumerable<string>? ValuesOf(string label) => label switch
    {
        "http_resilience_stop_reason" => Enum.GetNames<StopReason>(),
        "http_resilience_dead_letter_status" => ValuesInManual("http.client.resilience.dead_letters"),
        "http_resilience_window" => ValuesInManual("http.client.resilience.error_budget.burn_rate"),
        _ => null,
    };

    private static IEnumerable<string> ValuesInManual(string instrument) =>
        OperationsManual.Rows("Metrics", "instrument").Single(r => r[0] == instrument).Names(3).Where(n => !n.Contains('.'));
}
