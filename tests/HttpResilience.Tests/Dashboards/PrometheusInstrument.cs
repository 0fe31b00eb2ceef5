using HttpResilience.Tests.Conventions;

namespace HttpResilience.Tests.Dashboards;

/// <summary>An instrument of docs/operations.md as Prometheus has it, by the rule of docs/dashboards.md.</summary>
internal sealed record PrometheusInstrument(string Name, string Kind, string Metric, IReadOnlyList<string> Labels)
{
    private static readonly string[] Host = ["server.address", "server.port"];

    internal static IReadOnlyList<PrometheusInstrument> All { get; } = Read();

    /// <summary>The names of its series.</summary>
    internal IEnumerable<string> Series => Kind == "histogram" ? [$"{Metric}_bucket", $"{Metric}_sum", $"{Metric}_count"] : [Metric];

    /// <summary>Dots to underscores, the unit unless it stands in braces, and the suffix of the kind.</summary>
    internal static string NameOf(string name, string kind, string unit)
    {
        string metric = name.Replace('.', '_');
        string suffix = unit switch
        {
            "s" => "_seconds",
            "1" when kind == "gauge" => "_ratio",
            "" or ['{', .., '}'] => "",
            _ => throw new InvalidOperationException($"The rule says nothing about the unit {unit} of a {kind}."),
        };
        return $"{metric}{suffix}{(kind == "counter" ? "_total" : "")}";
    }

    private static List<PrometheusInstrument> Read()
    {
        List<PrometheusInstrument> all = [];
        string[] tags = [];
        foreach (var row in OperationsManual.Rows("Metrics", "instrument"))
        {
            string further = row[3];
            if (further != "as above")
                tags = [.. further.StartsWith("host", StringComparison.Ordinal) ? Host : [], .. row.Names(3).Where(n => n.Contains('.'))];
            string[] client = further.StartsWith("no client", StringComparison.Ordinal) ? [] : ["http.resilience.client"];
            all.Add(new(row[0], row[1], NameOf(row[0], row[1], row[2]),
                [.. client.Concat(tags).Select(t => t.Replace('.', '_')).Order(StringComparer.Ordinal)]));
        }

        return all;
    }
}
