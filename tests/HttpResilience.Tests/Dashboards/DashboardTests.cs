using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HttpResilience.Tests.Conventions;
using static HttpResilience.Tests.Dashboards.GrafanaDashboard;

namespace HttpResilience.Tests.Dashboards;

/// <summary>The dashboard shows what the library measures: all of it, by its names, and in the order of need.</summary>
public sealed class DashboardTests
{
    /// <summary>Instruments that are not on the dashboard, with the reason.</summary>
    private static readonly Dictionary<string, string> LeftOut = [];

    private static readonly Dictionary<string, IReadOnlyList<string>> NoneRecorded = [];

    private static IEnumerable<PrometheusQuery> Queries => Targets.Select(t => new PrometheusQuery(Text(t["expr"])));

    [Fact]
    public void Every_metric_label_and_value_on_the_dashboard_exists() =>
        Queries.SelectMany(q => QueryAssert.Mistakes(q, NoneRecorded)).ShouldBeEmpty();

    [Fact]
    public void Every_metric_and_label_of_the_variables_exists() => Variables.Where(v => Text(v["type"]) == "query")
        .Select(v => Regex.Match(Text(v["query"]!["query"]), @"^label_values\((.+), (\w+)\)$")).SelectMany(
            m => QueryAssert.Mistakes(new($"sum by ({m.Groups[2].Value}) ({m.Groups[1].Value})"), NoneRecorded)).ShouldBeEmpty();

    [Fact]
    public void Every_instrument_is_on_the_dashboard_or_left_out_with_a_reason()
    {
        var shown = Queries.SelectMany(q => q.Metrics).Select(QueryAssert.InstrumentOf).OfType<PrometheusInstrument>().Select(i => i.Name)
            .ToHashSet();

        PrometheusInstrument.All.Select(i => i.Name).Except(shown).ShouldBe(LeftOut.Keys, ignoreOrder: true);
        LeftOut.Values.ShouldAllBe(reason => reason.Length > 0);
    }

    [Fact]
    public void What_is_wrong_now_comes_first_and_then_what_explains_it() =>
        All.Where(p => Text(p["type"]) == "row").Select(p => Text(p["title"])).ShouldBe(
        [
            "What is wrong now", "Calls and failures by client", "Retries and what stopped them", "Waits", "Letters by state", "Hosts",
        ]);

    [Fact]
    public void Every_panel_has_a_unit_a_title_of_its_own_and_one_sentence_about_it()
    {
        Panels.Where(p => Text(p["fieldConfig"]!["defaults"]!["unit"]).Length == 0).Select(p => Text(p["title"])).ShouldBeEmpty("no unit");
        Panels.Where(p => !Regex.IsMatch(Text(p["description"]), @"^[A-Z](?:[^.]|\.(?=\S))+\.$")).Select(p => Text(p["description"]))
            .ShouldBeEmpty("not one sentence");
        All.GroupBy(p => Text(p["title"])).Where(g => g.Key.Length == 0 || g.Count() > 1).Select(g => g.Key).ShouldBeEmpty("titles");
        Panels.Where(p => p["targets"]!.AsArray().Any(t => Text(t!["expr"]).Contains("histogram_quantile") || IsInSeconds(t!)))
            .Select(p => Text(p["fieldConfig"]!["defaults"]!["unit"])).Distinct().ShouldBe(["s"]);
    }

    [Fact]
    public void Every_panel_can_be_filtered_by_application_client_and_host()
    {
        var selectors = Queries.SelectMany(q => q.Selectors).Where(s => s.Metric != "ALERTS").ToList();

        foreach (var (variable, label) in new[] { ("job", "job"), ("client", "http_resilience_client"), ("host", "server_address") })
        {
            Variables.ShouldContain(v => Text(v["name"]) == variable && v["includeAll"]!.GetValue<bool>());
            Queries.SelectMany(q => q.Matchers).Where(m => m.Label == label && m.Value != $"${variable}").ShouldBeEmpty();
            selectors.Where(s => label == "job" || QueryAssert.InstrumentOf(s.Metric)!.Labels.Contains(label))
                .Where(s => !s.Labels.Contains(label)).Select(s => $"{s.Metric} without {label}").ShouldBeEmpty();
        }
    }

    [Fact]
    public void Every_legend_names_labels_that_its_series_have() => Targets.SelectMany(t =>
        Regex.Matches(Text(t["legendFormat"]), @"\{\{(\w+)\}\}").Select(m => m.Groups[1].Value)
            .Except(new PrometheusQuery(Text(t["expr"])).Result ?? []).Select(l => $"{l}: {Text(t["expr"])}")).ShouldBeEmpty();

    [Fact]
    public void Grafana_can_import_it_for_any_data_source()
    {
        Root["schemaVersion"]!.GetValue<int>().ShouldBeGreaterThanOrEqualTo(42);
        Root["id"].ShouldBeNull();
        Text(Root["uid"]).ShouldMatch("^[a-zA-Z0-9_-]{1,40}$");
        var source = Variables.First();
        (Text(source["type"]), Text(source["query"]), Text(source["name"])).ShouldBe(("datasource", "prometheus", "datasource"));
        Panels.Concat(Targets).Concat(Variables.Skip(1)).Select(p => $"{p["datasource"]?["type"]} {p["datasource"]?["uid"]}").Distinct()
            .ShouldBe(["prometheus ${datasource}"]);
        All.Select(p => p["id"]!.GetValue<int>()).ShouldBeUnique();
        Panels.ShouldAllBe(p => p["targets"]!.AsArray().Select(t => Text(t!["refId"])).Distinct().Count() == p["targets"]!.AsArray().Count);
    }

    [Fact]
    public void No_panel_lies_on_another_or_outside_the_page()
    {
        var places = All.Select(p => (Title: Text(p["title"]), Place: p["gridPos"]!)).SelectMany(
            p => from x in Enumerable.Range(At(p.Place, "x"), At(p.Place, "w"))
                 from y in Enumerable.Range(At(p.Place, "y"), At(p.Place, "h"))
                 select (x, y, p.Title)).ToList();

        places.ShouldAllBe(p => p.x < 24);
        places.GroupBy(p => (p.x, p.y)).Where(g => g.Count() > 1).Select(g => string.Join(" and ", g.Select(p => p.Title))).Distinct()
            .ShouldBeEmpty();
    }

    [Fact]
    public void The_page_about_it_lists_the_names_in_Prometheus() => OperationsManual.ShouldList(
        Repository.Read("docs/dashboards.md").Split('\n').Where(l => l.StartsWith("| `http.client.resilience.", StringComparison.Ordinal))
            .Select(l => l.Replace("`", "", StringComparison.Ordinal).Trim('|', ' ')),
        PrometheusInstrument.All.Select(i => $"{i.Name} | {i.Metric} | {i.Kind} | {string.Join(", ", i.Labels)}".Trim('|', ' ')));

    private static bool IsInSeconds(JsonNode target) =>
        new PrometheusQuery(Text(target["expr"])).Metrics.Any(m => m.EndsWith("_seconds", StringComparison.Ordinal));

    private static int At(JsonNode place, string name) => place[name]!.GetValue<int>();
}
