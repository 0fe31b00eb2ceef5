using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.IntegrationTests.Samples;

/// <summary>The alerts about the outage in the sample's run.</summary>
public sealed class InvoiceSenderAlertTests : IDisposable
{
    private const string Token = "T0K3N-of-the-webhook";
    private const int Invoices = 60;

    // No call runs out of retries.
    private static readonly (string Name, string? Value)[] ManyRetries =
    [
        .. new (string Name, string? Value)[] { ("MaxRetryAttempts", "5"), ("Delay", "00:00:00.200"), ("Budget__RetryRatio", "") }
            .Select(o => ($"HttpResilience__Clients__invoices__Retry__{o.Name}", o.Value)),
    ];

    // No call waits for the circuit; the batch sends it again, with the same key. Only the rules that end with the outage.
    private static readonly (string Name, string? Value)[] AlertsAtOnce =
    [
        .. ManyRetries, ("HttpResilience__Clients__invoices__Idempotency__KeySource", "Content"),
        .. new (string Name, string? Value)[]
        {
            ("FailureThreshold", "10"), ("FailureDuration", "00:00:00"), ("FailureRatio", "0.5"), ("BreakDuration", "00:00:00.500"),
            ("MaxBreakDuration", "00:00:00.500"), ("MaxWait", "00:00:00.001"),
        }.Select(o => ($"HttpResilience__Clients__invoices__CircuitBreaker__{o.Name}", o.Value)),
        ("HttpResilience__Alerts__Rules__0__Type", "CircuitOpened"), ("HttpResilience__Alerts__Rules__1__Type", "ConsecutiveFailures"),
    ];

    private static readonly RequestDelegate Accepted = Reply.With(
        201, """{ "id": "in_1", "invoiceNumber": "1" }""", ("Content-Type", "application/json"));

    // Single faults, then an outage that lasts by requests, so that it opens the circuit however slowly they come: the 8 calls in flight
    // may end in any order, which takes 7 of its failures out of the row at its start and 7 at its end.
    private static readonly RequestDelegate[] SingleFaultsAndAnOutage =
    [
        .. Enumerable.Repeat(Accepted, 4), Reply.With(503, "no"), .. Enumerable.Repeat(Accepted, 9), Reply.With(500, "no"),
        .. Enumerable.Repeat(Accepted, 8), .. Enumerable.Repeat(Reply.With(503, "no"), 24), Accepted,
    ];

    private readonly SampleProgram _program = new();

    [Fact]
    public async Task The_outage_is_waited_out_and_no_alert()
    {
        await CopyAsync(Invoices);
        var result = await _program.RunAsync("--quick --keys none --csv invoices.csv --seed 3 --json", ManyRetries);
        result.ExitCode.ShouldBe(0, result.Error);
        var report = JsonNode.Parse(result.Output)!;

        report["alerts"]!.AsArray().ShouldBeEmpty();
        Run(report, "Resilient")["failed"]!.AsArray().ShouldBeEmpty();
        var bare = Run(report, "Bare");
        bare["failed"]!.AsArray().ShouldNotBeEmpty();
        foreach (var other in new[] { bare, Run(report, "Standard") })
        {
            int failed = other["failed"]!.AsArray().Count;
            (Number(other["errorBudget"], "calls"), Number(other["errorBudget"], "failures"), Number(other["errorBudget"], "objective"))
                .ShouldBe((Invoices, failed, 0.999));
            Number(other["errorBudget"], "burn").ShouldBe(failed / (Invoices * 0.001), 0.001);
        }
    }

    [Fact]
    public async Task An_outage_that_calls_do_not_wait_for_is_one_alert_with_one_end_and_other_faults_are_none()
    {
        await using var api = await KestrelServer.StartAsync(SingleFaultsAndAnOutage);
        await using var webhook = await KestrelServer.StartAsync(Reply.Ok());
        var result = await SendAsync(api, $"--json --alerts {webhook.Uri}");
        var report = JsonNode.Parse(result.Output)!;

        var alerts = report["alerts"]!.AsArray();
        alerts.Select(a => Text(a, "phase")).ShouldBe(["Started", "Ended"], result.Output);
        alerts.Select(a => Text(a, "id")).Distinct().ShouldHaveSingleItem();
        alerts.ShouldAllBe(a => Text(a, "title").StartsWith($"invoices: calls to {Authority(api)}"));
        Text(alerts[1], "detail").ShouldStartWith("It is over after ");

        // A record that waits for an open circuit makes more than one call.
        var budget = report["runs"]!.AsArray().ShouldHaveSingleItem()!["errorBudget"];
        Number(budget, "calls").ShouldBe(Invoices + Number(budget, "failures"));
        Number(budget, "failures").ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_webhook_gets_both_alerts_in_slack_format_and_its_path_is_not_printed()
    {
        await using var api = await KestrelServer.StartAsync(SingleFaultsAndAnOutage);
        await using var slack = await KestrelServer.StartAsync(Reply.Ok());
        var result = await SendAsync(api, $"--verbose --alerts {slack.Uri}services/{Token}?x=1");

        slack.Requests.ShouldAllBe(r => r.Method == "POST" && r.Target == $"/services/{Token}?x=1");
        string[] texts = [.. slack.Requests.Select(r => Text(JsonNode.Parse(r.Text), "text"))];
        texts.Length.ShouldBe(2, result.Output);
        texts[0].ShouldStartWith($"[Warning] *invoices: calls to {Authority(api)}");
        texts[1].ShouldStartWith($"[Over] *invoices: calls to {Authority(api)}");
        result.Output.ShouldContain($"Alerts for {Authority(slack)}: 2\n");
        (result.Output + result.Error).ShouldNotContain(Token);
        // Requests to the webhook are not counted as attempts.
        NumberIn(result.Output, "attempts").ShouldBe(api.Requests.Count);
    }

    [Fact]
    public async Task An_undelivered_alert_is_reported_on_standard_error()
    {
        // As many failures in a row as open the circuit while up to 7 of them may be seen after the first success.
        await using var api = await KestrelServer.StartAsync([.. Enumerable.Repeat(Reply.With(500, "no"), 17), Accepted]);
        await CopyAsync(8);
        var result = await _program.RunAsync(
            $"--csv invoices.csv --api {api.Uri} --alerts http://127.0.0.1:{Ports.Closed()}/services/{Token}", AlertsAtOnce);

        result.ExitCode.ShouldBe(0, result.Error);
        result.Output.ShouldContain(": 2\n");
        result.Error.ShouldContain("Alerts do not get to the webhook of http://127.0.0.1:");
        (result.Output + result.Error).ShouldNotContain(Token);
    }

    [Fact]
    public async Task An_invalid_webhook_address_is_rejected_without_printing_it()
    {
        var result = await _program.RunAsync($"--alerts services/{Token}");

        (result.ExitCode, result.Error.Trim()).ShouldBe((2, "--alerts is not an absolute http or https URL."));
    }

    public void Dispose() => _program.Dispose();

    private async Task<SampleProgram.Result> SendAsync(KestrelServer api, string arguments)
    {
        await CopyAsync(Invoices);
        var result = await _program.RunAsync($"--csv invoices.csv --api {api.Uri} {arguments}", AlertsAtOnce);
        result.ExitCode.ShouldBe(0, result.Error);
        return result;
    }

    // Fewer invoices than the default, to be faster; the outage of the sample's own API still begins after half of them.
    private Task CopyAsync(int invoices) => File.WriteAllLinesAsync(
        _program.PathOf("invoices.csv"),
        File.ReadLines(Path.Combine(SampleProgram.Repository, "samples/InvoiceSender/invoices.csv")).Take(invoices + 1),
        TestContext.Current.CancellationToken);

    private static JsonNode Run(JsonNode report, string client) =>
        report["runs"]!.AsArray().Single(run => run!["client"]!.GetValue<string>() == client)!;

    private static string Text(JsonNode? node, string property) => node![property]!.GetValue<string>();

    private static string Authority(KestrelServer server) => server.Uri.GetLeftPart(UriPartial.Authority);

    private static double Number(JsonNode? node, string property) => node![property]!.GetValue<double>();

    /// <summary>The number in the last column of a row, which is that of the resilient client.</summary>
    private static int NumberIn(string table, string label) =>
        int.Parse(table.Split('\n').Single(line => line.StartsWith($"│ {label} ", StringComparison.Ordinal)).Split(
            '│', StringSplitOptions.TrimEntries)[^2]);
}
