using System.Text.Json.Nodes;

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
            ("MaxBreakDuration", "00:00:02"), ("MaxWait", "00:00:00.001"),
        }.Select(o => ($"HttpResilience__Clients__invoices__CircuitBreaker__{o.Name}", o.Value)),
        ("HttpResilience__Alerts__Rules__0__Type", "CircuitOpened"), ("HttpResilience__Alerts__Rules__1__Type", "ConsecutiveFailures"),
    ];

    private readonly SampleProgram _program = new();

    [Fact]
    public async Task The_outage_is_waited_out_and_no_alert()
    {
        var report = JsonNode.Parse((await SendAsync("--json", ManyRetries)).Output)!;

        report["alerts"]!.AsArray().ShouldBeEmpty();
        Run(report, "Resilient")["failed"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task An_outage_that_calls_do_not_wait_for_is_one_alert_with_one_end_and_other_faults_are_none()
    {
        var result = await SendAsync("--json", AlertsAtOnce);
        var report = JsonNode.Parse(result.Output)!;

        var alerts = report["alerts"]!.AsArray();
        alerts.Select(a => Text(a, "phase")).ShouldBe(["Started", "Ended"], result.Output);
        alerts.Select(a => Text(a, "id")).Distinct().ShouldHaveSingleItem();
        alerts.ShouldAllBe(a => Text(a, "title").StartsWith("invoices: calls to http://127.0.0.1:"));
        Text(alerts[1], "detail").ShouldStartWith("It is over after ");
        report["alertsFor"].ShouldBeNull();

        var (bare, resilient) = (Run(report, "Bare"), Run(report, "Resilient"));
        bare["failed"]!.AsArray().ShouldNotBeEmpty();
        foreach (var other in new[] { bare, Run(report, "Standard") })
        {
            int failed = other["failed"]!.AsArray().Count;
            (Number(other["errorBudget"], "calls"), Number(other["errorBudget"], "failures"), Number(other["errorBudget"], "objective"))
                .ShouldBe((Invoices, failed, 0.999));
            Number(other["errorBudget"], "burn").ShouldBe(failed / (Invoices * 0.001), 0.001);
        }

        // A record that waits for an open circuit makes more than one call.
        Number(resilient["errorBudget"], "calls").ShouldBe(Invoices + Number(resilient["errorBudget"], "failures"));
        Number(resilient["errorBudget"], "failures").ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_webhook_gets_both_alerts_in_slack_format_and_its_path_is_not_printed()
    {
        await using var slack = await KestrelServer.StartAsync(Reply.Ok());
        var result = await SendAsync($"--verbose --alerts {slack.Uri}services/{Token}?x=1", AlertsAtOnce);

        slack.Requests.ShouldAllBe(r => r.Method == "POST" && r.Target == $"/services/{Token}?x=1");
        string[] texts = [.. slack.Requests.Select(r => Text(JsonNode.Parse(r.Text), "text"))];
        texts.Length.ShouldBe(2, result.Output);
        texts[0].ShouldStartWith("[Warning] *invoices: calls to http://127.0.0.1:");
        texts[1].ShouldStartWith("[Over] *invoices: calls to http://127.0.0.1:");
        result.Output.ShouldContain($"Alerts for {slack.Uri.GetLeftPart(UriPartial.Authority)}: 2\n");
        (result.Output + result.Error).ShouldNotContain(Token);
        // Requests to the webhook are not counted as attempts.
        NumberIn(result.Output, "attempts").ShouldBe(NumberIn(result.Output, "requests the server saw"));
    }

    [Fact]
    public async Task An_undelivered_alert_is_reported_on_standard_error()
    {
        // As many failures as open the circuit.
        await using var api = await KestrelServer.StartAsync([.. Enumerable.Repeat(Reply.With(500, "no"), 10),
            Reply.With(201, """{ "id": "in_1", "invoiceNumber": "1" }""", ("Content-Type", "application/json"))]);
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

    private async Task<SampleProgram.Result> SendAsync(string arguments, (string Name, string? Value)[] environment)
    {
        await CopyAsync(Invoices);
        var result = await _program.RunAsync($"--quick --keys none --csv invoices.csv --seed 3 {arguments}", environment);
        result.ExitCode.ShouldBe(0, result.Error);
        return result;
    }

    // Fewer invoices than the default, to be faster; the outage still begins after half of them.
    private Task CopyAsync(int invoices) => File.WriteAllLinesAsync(
        _program.PathOf("invoices.csv"),
        File.ReadLines(Path.Combine(SampleProgram.Repository, "samples/InvoiceSender/invoices.csv")).Take(invoices + 1),
        TestContext.Current.CancellationToken);

    private static JsonNode Run(JsonNode report, string client) =>
        report["runs"]!.AsArray().Single(run => run!["client"]!.GetValue<string>() == client)!;

    private static string Text(JsonNode? node, string property) => node![property]!.GetValue<string>();

    private static double Number(JsonNode? node, string property) => node![property]!.GetValue<double>();

    private static int NumberIn(string table, string label) =>
        int.Parse(table.Split('\n').Single(line => line.StartsWith($"│ {label} ", StringComparison.Ordinal)).Split(
            '│', StringSplitOptions.TrimEntries)[4]);
}
