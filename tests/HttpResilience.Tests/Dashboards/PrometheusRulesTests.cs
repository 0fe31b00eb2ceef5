using System.Text.RegularExpressions;
using HttpResilience.Tests.Conventions;

namespace HttpResilience.Tests.Dashboards;

/// <summary>The rules name what the library measures, and lead to the manual. Their unit tests (promtool) show what they find.</summary>
public sealed class PrometheusRulesTests
{
    // What is lost does not come back, so these do not wait.
    private static readonly string[] AtOnce = ["HttpResilienceLettersLost", "HttpResilienceRememberedCallsLost"];

    private static readonly string[] ByClientAndHost = ["job", "http_resilience_client", "server_address"];

    private static readonly Dictionary<string, IReadOnlyList<string>> Recorded = PrometheusRule.All.Where(r => !r.IsAlert)
        .ToDictionary(r => r.Name, r => (IReadOnlyList<string>)[.. r.Query.Result!.Except(["le"])]);

    private static IEnumerable<PrometheusRule> Alerts => PrometheusRule.All.Where(r => r.IsAlert);

    [Fact]
    public void Every_metric_label_and_value_in_the_rules_exists()
    {
        PrometheusRule.All.Count.ShouldBe(Regex.Count(Repository.Read("ops/prometheus/http-resilience.rules.yml"), " expr: "));

        PrometheusRule.All.SelectMany(r => QueryAssert.Mistakes(r.Query, Recorded)).ShouldBeEmpty();
    }

    [Fact]
    public void A_recorded_series_has_the_labels_that_its_name_says() => Recorded.ShouldAllBe(r => r.Value.SequenceEqual(
        ByClientAndHost.Take(r.Key.StartsWith("job_client_host:", StringComparison.Ordinal) ? 3 : 2)));

    [Fact]
    public void Every_alert_has_a_severity_a_summary_and_a_description_with_labels_that_it_has()
    {
        Alerts.ShouldAllBe(a => a["severity"] == "critical" || a["severity"] == "warning");
        Alerts.ShouldAllBe(a => a["summary"]!.EndsWith('.') && a["description"]!.EndsWith('.'));
        Alerts.SelectMany(a => Regex.Matches(a["summary"] + a["description"], @"\$labels\.(\w+)").Select(m => m.Groups[1].Value)
            .Except(a.Query.Result ?? Recorded[a.Query.Metrics.First()]).Select(label => $"{a.Name}: {label}")).ShouldBeEmpty();
    }

    [Fact]
    public void Every_alert_has_its_place_in_the_manual_and_no_other_has_one()
    {
        var headings = Regex.Matches(OperationsManual.SectionOf("Prometheus alerts"), "^### (.+)$", RegexOptions.Multiline);

        OperationsManual.ShouldList(headings.Select(h => h.Groups[1].Value), Alerts.Select(a => a.Name));
        Alerts.ShouldAllBe(a => a["runbook_url"] == "docs/operations.md#" + a.Name.ToLowerInvariant());
    }

    [Fact]
    public void Only_what_is_lost_alerts_at_once() =>
        Alerts.Where(a => a["for"] is null).Select(a => a.Name).ShouldBe(AtOnce);

    [Fact]
    public void Every_alert_has_a_unit_test_that_it_holds_and_one_that_it_does_not()
    {
        string[] tests = Repository.Read("ops/prometheus/http-resilience.rules.test.yml").Split("alertname: ");

        WithoutTest("exp_labels").ShouldBeEmpty("never shown to hold");
        WithoutTest("exp_alerts: []").ShouldBeEmpty("never shown not to hold");

        IEnumerable<string> WithoutTest(string expected) => Alerts.Select(a => a.Name).Where(name =>
            !tests.Any(t => t.StartsWith(name + "\n", StringComparison.Ordinal) && t.Contains(expected)));
    }
}
